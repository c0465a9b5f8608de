// What is only read: the phone's memory of it first, then the server's word. Without a network the memory stands, and is told as such.
import { useEffect, useState } from "preact/hooks";
import { call, Refused } from "../../../../ui/js/wire/api";
import { database } from "../data/database";
import type { Problem } from "../data/types";
import { online } from "./device";
import { me, savedAt } from "./night";

export interface Answered<Answer> {
  answer: Answer | null;
  /** When the server said so. */
  at: number | null;
  /** Why it does not say more, when it refused. */
  problem: Problem | null;
  loading: boolean;
  again: () => Promise<void>;
}

/** An address of the API, asked when the view opens, after each signal, and when the network is back. */
export function useAnswer<Answer>(path: string): Answered<Answer> {
  const [known, setKnown] = useState<{ path: string; answer: Answer; at: number } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(true);
  const person = me.value?.user_id ?? "";
  const again = async () => {
    try {
      const answer = await call<Answer>(path);
      setKnown({ path, answer, at: Date.now() });
      setProblem(null);
      await remember(person, path, answer);
    } catch (error) {
      if (error instanceof Refused) {
        setProblem(error.problem);
        if (error.problem.status === 404) await forget(person, path);
      }
    } finally {
      setLoading(false);
    }
  };
  useEffect(() => {
    let here = true;
    setLoading(true);
    void recall<Answer>(person, path).then((kept) => {
      if (here && kept) setKnown((now) => (now?.path === path ? now : { path, ...kept }));
    });
    return () => {
      here = false;
    };
  }, [path, person]);
  useEffect(() => {
    void again();
  }, [path, person, savedAt.value, online.value]);
  const mine = known?.path === path && problem?.status !== 404 ? known : null;
  return { answer: mine?.answer ?? null, at: mine?.at ?? null, problem, loading: loading && !mine, again };
}

export async function recall<Answer>(person: string, path: string): Promise<{ answer: Answer; at: number } | null> {
  const kept = person ? await (await database()).get("answers", [person, path]) : undefined;
  return kept ? { answer: kept.answer as Answer, at: kept.at } : null;
}

export async function remember(person: string, path: string, answer: unknown): Promise<void> {
  if (me.value?.user_id !== person) return; // they left meanwhile: nothing of them is written any more
  await (await database()).put("answers", { user_id: person, path, answer, at: Date.now() });
}

async function forget(person: string, path: string): Promise<void> {
  await (await database()).delete("answers", [person, path]);
}

// What is only read: the phone's memory of it first, then the server's word. Without a network the memory stands, and is told as such.
import { useEffect, useState } from "preact/hooks";
import { call, Refused } from "../../../../ui/js/wire/api";
import { database } from "../data/database";
import type { Problem, Start } from "../data/types";
import { online } from "./device";
import { me, savedAt, settled, told } from "./night";

export const BOOKINGS = "/api/patron/bookings?sort=-starts_at&limit=50";
export const CREDITS = "/api/patron/credits";
/** They come with the night, and are not asked for again right after it. */
const BROUGHT: Record<string, (start: Start) => unknown> = { [BOOKINGS]: (start) => start.bookings, [CREDITS]: (start) => start.credits };
const JUST_MS = 5_000;

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
  const take = (answer: Answer) => {
    setKnown({ path, answer, at: Date.now() });
    setProblem(null);
    setLoading(false);
    return remember(person, path, answer);
  };
  const again = async () => {
    try {
      await take(await call<Answer>(path));
    } catch (error) {
      if (error instanceof Refused) {
        setProblem(error.problem);
        if (error.problem.status === 404) await forget(person, path);
      }
    } finally {
      setLoading(false);
    }
  };
  const renew = async () => {
    if (path in BROUGHT) await settled();
    const brought = broughtJustNow<Answer>(path, person);
    await (brought ? take(brought) : again());
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
    void renew();
  }, [path, person, savedAt.value, online.value]);
  const mine = known?.path === path && problem?.status !== 404 ? known : null;
  return { answer: mine?.answer ?? null, at: mine?.at ?? null, problem, loading: loading && !mine, again };
}

function broughtJustNow<Answer>(path: string, person: string): Answer | null {
  const start = told.value;
  if (!start || start.me?.user_id !== person || start.me.tenant?.id !== me.value?.tenant?.id || Date.now() - start.at > JUST_MS) return null;
  return (BROUGHT[path]?.(start) as Answer | undefined) ?? null;
}

export async function recall<Answer>(person: string, path: string): Promise<{ answer: Answer; at: number } | null> {
  const kept = person ? await (await database()).get("answers", [person, path]) : undefined;
  return kept ? { answer: kept.answer as Answer, at: kept.at } : null;
}

/** A phone without room remembers nothing, and shows what it has just been told. */
export async function remember(person: string, path: string, answer: unknown): Promise<void> {
  if (me.value?.user_id !== person) return; // they left meanwhile: nothing of them is written any more
  await database()
    .then((store) => store.put("answers", { user_id: person, path, answer, at: Date.now() }))
    .catch(() => undefined);
}

async function forget(person: string, path: string): Promise<void> {
  await (await database()).delete("answers", [person, path]);
}

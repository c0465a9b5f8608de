// How one payment stands: asked at once, after every signal, and meanwhile again and again, the slower the longer it takes. Nothing of it is
// kept on the phone: it holds the secret to pay with.
import { useEffect, useRef, useState } from "preact/hooks";
import { call, Refused } from "../../../../ui/js/wire/api";
import type { Checkout, PaymentStatus } from "../data/credits";
import type { Problem } from "../data/types";
import { online } from "./device";
import { savedAt } from "./night";

const FIRST_MS = 800;
const SLOWER = 1.5;
const MOST_MS = 10_000;
/** What moves without its payer. */
const MOVES = new Set<PaymentStatus>(["created", "processing", "authorised"]);
const OVER = new Set<PaymentStatus>(["captured", "settled", "canceled", "failed"]);

export interface Watched {
  checkout: Checkout | null;
  problem: Problem | null;
  /** The last question got no answer. */
  unheard: boolean;
  /** Have the card provider asked, until the payment stands otherwise. */
  watch: (wanted: boolean) => void;
  ask: () => Promise<void>;
}

export function useCheckout(id: string): Watched {
  const [checkout, setCheckout] = useState<Checkout | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [unheard, setUnheard] = useState(false);
  const [watching, setWatching] = useState(false);
  const last = useRef(0);
  const path = `/api/patron/payments/${id}`;
  const ask = async (check = false) => {
    const number = ++last.current;
    try {
      const told = check ? await call<Checkout>(`${path}/check`, { method: "POST" }) : await call<Checkout>(path);
      if (number !== last.current) return; // a later question has its own answer
      setCheckout(told);
      setProblem(null);
      setUnheard(false);
    } catch (error) {
      if (error instanceof Refused) setProblem(error.problem);
      else setUnheard(true);
    }
  };
  useEffect(() => {
    void ask();
  }, [path, savedAt.value, online.value]);
  const status = checkout?.status;
  const follows = watching && !(status && OVER.has(status));
  const pace = unheard || follows || (status !== undefined && MOVES.has(status));
  useEffect(() => {
    if (!pace) return;
    let wait = FIRST_MS;
    let timer = 0;
    const again = () => {
      timer = window.setTimeout(async () => {
        await ask(follows);
        wait = Math.min(wait * SLOWER, MOST_MS);
        again();
      }, wait);
    };
    again();
    return () => clearTimeout(timer);
  }, [path, pace, follows, status]);
  return { checkout, problem, unheard, watch: setWatching, ask: () => ask(true) };
}

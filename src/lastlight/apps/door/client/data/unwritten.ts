// What this device could not write down, because it is full or its browser keeps nothing. It lives as long as the page, and is
// written as soon as that is possible, in its order.
import type { Entry, Lines } from "./database";

/** Numbers from here on are nobody's: a line gets its own when it is written. */
const NOT_YET = 2 ** 52;

interface Held {
  /** How the line is shown meanwhile; none where it stands in the log already, and only what was decided about it is missing. */
  shown: Entry | null;
  write: (lines: Lines) => Promise<unknown>;
}

let held: Held[] = [];
let given = 0;
let turn: Promise<unknown> = Promise.resolve();

/** Keep in memory what could not be written. */
export function hold(write: Held["write"], line?: Omit<Entry, "sequence">): Entry | null {
  const shown = line ? { ...line, sequence: NOT_YET + given++ } : null;
  held.push({ shown, write });
  return shown;
}

export function unwrittenLines(): Entry[] {
  return held.flatMap(({ shown }) => shown ?? []);
}

export function countUnwritten(): number {
  return held.length;
}

export function isUnwritten(entry: Entry): boolean {
  return entry.sequence >= NOT_YET;
}

/** Write what is held, the oldest first, up to the first that cannot be written; `write` does one in one step. */
export async function writeHeld(write: (work: Held["write"]) => Promise<unknown>): Promise<void> {
  while (held[0]) {
    await write(held[0].write);
    held = held.slice(1);
  }
}

/** One after another, so that lines are written in the order in which they were scanned. */
export function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const done = turn.then(work);
  turn = done.catch(() => undefined);
  return done;
}

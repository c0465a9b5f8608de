// The server's time, as far as this device knows it: learnt from each answer that tells it.

/** An answer that took longer says too little about the time. */
const VAGUE_MS = 4_000;

/** Where a device keeps by how many milliseconds the server's clock is ahead of its own. */
interface Kept {
  read: () => Promise<number | undefined>;
  keep: (ahead: number) => Promise<void>;
}

export function serverClock({ read, keep }: Kept) {
  let lastKnown = 0;
  return {
    /** The time by the server's clock. A device that can read nothing goes by what this page has learnt. */
    async serverNow(): Promise<number> {
      lastKnown = (await read().catch(() => undefined)) ?? lastKnown;
      return Date.now() + lastKnown;
    },
    /** Learn how far the server's clock is ahead, from an answer that says its time and how long it took to come. */
    async learnClock(serverTime: string, tookMs: number): Promise<void> {
      const ahead = Date.parse(serverTime) - (Date.now() - tookMs / 2);
      const vague = tookMs > VAGUE_MS && (await read()) !== undefined;
      if (!Number.isFinite(ahead) || vague) return;
      lastKnown = Math.round(ahead);
      await keep(lastKnown);
    },
  };
}

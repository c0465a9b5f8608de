/** What to race a work against that may never end: nothing, once `ms` milliseconds have gone by. */
export function late(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), Math.max(0, ms)));
}

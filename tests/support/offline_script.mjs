// What the scripts share that play one device: their plan comes as one JSON line, what they found goes out as another.
import { createInterface } from "node:readline";

export const USER = "0190a000-0000-7000-8000-000000000001";
export const TENANT = "0190a000-0000-7000-8000-000000000002";
/** A network over which nothing comes. */
export const UNREACHABLE = { for: () => async () => Promise.reject(new TypeError("no network")) };

export async function readPlan() {
  const { value } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
  return JSON.parse(value);
}

/** Say what was found, and end. */
export function conclude(found) {
  process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));
}

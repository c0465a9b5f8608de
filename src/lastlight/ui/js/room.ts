// The room that the browser gives an app on its device: asked to be kept, and watched, so that it is told before it runs out.
import { signal } from "@preact/signals";

/** Less than this, and a night's actions may find no place. */
const LEAST_BYTES = 5 * 1024 * 1024;
const SOON_MS = 3_000;
const EVERY_MS = 5 * 60_000;

/** There is almost no room left. */
export const short = signal(false);

/** Ask the browser not to clear what is kept here, look for room now and then where there is somebody to keep
 *  something for, and do not let a page go unasked that alone knows something. */
export function watchRoom(isUnkept: () => boolean, isWanted: () => boolean): void {
  const turn = () => {
    if (isWanted()) void navigator.storage?.persist?.().catch(() => false);
    void look();
  };
  setTimeout(turn, SOON_MS);
  setInterval(turn, EVERY_MS);
  addEventListener("beforeunload", (event) => {
    if (isUnkept()) event.preventDefault();
  });
}

async function look(): Promise<void> {
  const { quota, usage } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
  short.value = quota !== undefined && usage !== undefined && quota - usage < LEAST_BYTES;
}

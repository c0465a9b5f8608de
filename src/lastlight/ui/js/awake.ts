// A screen that people look at without touching it stays on: the door scanner, a display, a guest's own code.

/** Keep the screen on while the page is in sight; returns how to stop. Where a browser forbids it, the device's own settings decide. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let done = false;
  const take = async () => {
    if (document.visibilityState !== "visible" || done) return;
    lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    if (done) void lock?.release();
  };
  document.addEventListener("visibilitychange", take);
  void take();
  return () => {
    done = true;
    document.removeEventListener("visibilitychange", take);
    void lock?.release();
  };
}

// What every tab and worker of an app has to hear of each other, and waking the worker when the network is back.

export interface Tabs {
  /** Tell every tab and worker, this one too, that something has changed. */
  announce(): void;
  /** Hear of every change, from whichever tab or worker; call what comes back to hear no more. */
  onChange(changed: () => void): () => void;
}

/** The tabs and workers that share a channel's name. */
export function tabs(name: string): Tabs {
  const listeners = new Set<() => void>();
  return {
    announce() {
      const channel = new BroadcastChannel(name);
      channel.postMessage(null);
      channel.close();
      for (const changed of listeners) changed();
    },
    onChange(changed) {
      const channel = new BroadcastChannel(name);
      channel.onmessage = changed;
      listeners.add(changed);
      return () => {
        channel.close();
        listeners.delete(changed);
      };
    },
  };
}

interface SyncRegistration extends ServiceWorkerRegistration {
  sync?: { register(tag: string): Promise<void> };
}

/** Where the browser can, it wakes the worker when the network is back, even with the app closed. */
export async function askForSync(tag: string): Promise<void> {
  const registration = (await globalThis.navigator.serviceWorker?.getRegistration?.()) as SyncRegistration | undefined;
  await registration?.sync?.register(tag).catch(() => undefined);
}

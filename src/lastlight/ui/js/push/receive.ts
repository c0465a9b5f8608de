// What a service worker does with a push message: show it, and open its page when it is touched. Each worker calls it once.

interface Notice {
  title: string;
  body: string;
  url: string;
  tag: string;
  kind: string;
  silent: boolean;
  stays: boolean;
  lang: string;
}
/** `renotify` rings again for a notice that takes another's place; TypeScript's library does not know it yet. */
type Shown = NotificationOptions & { renotify?: boolean };

const PLAIN: Notice = { title: "Last Light", body: "", url: "/", tag: "", kind: "", silent: false, stays: false, lang: "en" };

/** Listen for messages in this worker; `icon` is the picture beside them. */
export function receivePush(worker: ServiceWorkerGlobalScope, icon: string): void {
  worker.addEventListener("push", (event) => event.waitUntil(show(worker, read(event.data), icon)));
  worker.addEventListener("notificationclick", (event) => {
    event.notification.close();
    event.waitUntil(open(worker, (event.notification.data as { url?: string } | null)?.url ?? "/"));
  });
}

/** A message that cannot be read is shown all the same: a browser takes the permission from who is silent. */
function read(data: PushMessageData | null): Notice {
  try {
    return { ...PLAIN, ...(data?.json() as Partial<Notice> | undefined) };
  } catch {
    return PLAIN;
  }
}

async function show(worker: ServiceWorkerGlobalScope, notice: Notice, icon: string): Promise<void> {
  const options: Shown = {
    body: notice.body,
    lang: notice.lang,
    icon,
    badge: icon,
    data: { url: notice.url, kind: notice.kind },
    requireInteraction: notice.stays,
    silent: notice.silent,
  };
  if (notice.tag) Object.assign(options, { tag: notice.tag, renotify: !notice.silent });
  await worker.registration.showNotification(notice.title, options);
}

/** The page in a window of ours that shows it already, or else in a new one. Only pages of our own. */
async function open(worker: ServiceWorkerGlobalScope, path: string): Promise<void> {
  const url = new URL(path, worker.location.origin);
  if (url.origin !== worker.location.origin) return;
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((window) => new URL(window.url).pathname === url.pathname);
  if (there) await there.focus();
  else await worker.clients.openWindow(url.href);
}

import { Controller } from "@hotwired/stimulus";

/** Signing out leaves nothing of the person on the device: caches and local databases go first. */
export default class SignOutController extends Controller<HTMLFormElement> {
  private wiped = false;

  async leave(event: SubmitEvent): Promise<void> {
    if (this.wiped) return;
    event.preventDefault();
    await Promise.allSettled([wipeCaches(), wipeDatabases()]);
    this.wiped = true;
    this.element.submit();
  }
}

async function wipeCaches(): Promise<void> {
  if (!("caches" in window)) return;
  for (const name of await caches.keys()) {
    if (name.startsWith("user-")) await caches.delete(name);
  }
}

async function wipeDatabases(): Promise<void> {
  const databases = (await indexedDB.databases?.()) ?? [];
  for (const { name } of databases) {
    if (name?.startsWith("last-light")) indexedDB.deleteDatabase(name);
  }
}

import { Controller } from "@hotwired/stimulus";
import { toast } from "../toast";
import { forgetKept } from "../kept";
import { waiting } from "../wire/outbox";

/** Signing out leaves nothing of the person on the device: caches and local databases go first. What has not been sent yet
 *  would go with them, so that is said first. */
export default class SignOutController extends Controller<HTMLFormElement> {
  private wiped = false;
  private warned = false;

  async leave(event: SubmitEvent): Promise<void> {
    if (this.wiped) return;
    event.preventDefault();
    if (!this.warned && (await waiting())) {
      this.warned = true;
      toast("A call for help has not been sent yet. Press again to sign out all the same; it is lost then.", "danger");
      return;
    }
    await Promise.allSettled([wipeCaches(), wipeDatabases()]);
    this.wiped = true;
    this.element.submit();
  }
}

async function wipeCaches(): Promise<void> {
  await forgetKept();
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

import { Controller } from "@hotwired/stimulus";
import { toast } from "../toast";
import { forgetKept } from "../kept";
import { leave } from "../session";
import { late } from "../wire/late";
import { waiting } from "../wire/outbox";

const PATIENCE_MS = 3_000;

/** Signing out leaves nothing of the person on the device: caches and local databases go first. What has not been sent yet
 *  would go with them, so that is said first. A device whose memory does not answer keeps nobody signed in. */
export default class SignOutController extends Controller<HTMLFormElement> {
  private wiped = false;
  private warned = false;

  async leave(event: SubmitEvent): Promise<void> {
    if (this.wiped) return;
    event.preventDefault();
    if (!this.warned && (await Promise.race([waiting(), late(PATIENCE_MS)]))) {
      this.warned = true;
      toast("A call for help has not been sent yet. Press again to sign out all the same; it is lost then.", "danger");
      return;
    }
    await Promise.race([Promise.allSettled([wipeCaches(), wipeDatabases()]), late(PATIENCE_MS)]);
    this.wiped = true;
    leave();
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

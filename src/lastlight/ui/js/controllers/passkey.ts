import { Controller } from "@hotwired/stimulus";
import { gettext as _ } from "../i18n";
import { makePasskey, refusal, showPasskey, unable, type Creation, type Request } from "../passkeys";
import { sentence, type Problem } from "../wire/api";

/** Asks the browser for a passkey: to sign in alone, as the second step, to show it in this session, or to make a new one. */
export default class PasskeyController extends Controller<HTMLElement> {
  static override targets = ["said", "answer", "code", "password", "tenant"];
  static override values = { ticket: String, next: String };
  declare readonly saidTarget: HTMLElement;
  declare readonly answerTarget: HTMLInputElement;
  declare readonly codeTarget: HTMLInputElement;
  declare readonly hasCodeTarget: boolean;
  declare readonly passwordTarget: HTMLInputElement;
  declare readonly tenantTarget: HTMLInputElement;
  declare readonly hasTenantTarget: boolean;
  declare readonly ticketValue: string;
  declare readonly nextValue: string;

  /** Without e-mail and password. */
  async signIn(event: Event): Promise<void> {
    await this.attempt(event, async () => {
      const passkey = await showPasskey((await this.ask("/api/auth/passkeys/challenge", {})) as Request);
      const tenant = this.hasTenantTarget ? this.tenantTarget.value.trim() : "";
      await this.ask("/api/auth/session/passkey", { passkey, ...(tenant && { tenant }) });
      location.assign(this.nextValue || "/");
    });
  }

  /** In place of a code: with a ticket at sign-in, else for the person who is signed in. */
  async show(event: Event): Promise<void> {
    await this.attempt(event, async () => {
      const path = this.ticketValue ? "/api/auth/passkeys/challenge" : "/api/me/passkeys/challenge";
      const asked = await this.ask(path, this.ticketValue ? { ticket: this.ticketValue } : undefined);
      this.answerTarget.value = JSON.stringify(await showPasskey(asked as Request));
      if (this.hasCodeTarget) this.codeTarget.required = false;
      this.answerTarget.form?.requestSubmit();
    });
  }

  /** The password is compared before the browser is asked; what it makes goes with the form. */
  async add(event: Event): Promise<void> {
    const form = this.answerTarget.form;
    if (!form?.reportValidity()) return;
    await this.attempt(event, async () => {
      const asked = await this.ask("/api/me/passkeys/creation", { password: this.passwordTarget.value });
      this.answerTarget.value = JSON.stringify(await makePasskey(asked as Creation));
      form.requestSubmit();
    });
  }

  private async attempt(event: Event, work: () => Promise<void>): Promise<void> {
    const button = event.currentTarget as HTMLButtonElement;
    const cannot = unable();
    if (cannot) return this.say(cannot);
    this.say("");
    button.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (error) {
      this.say(error instanceof Error && error.name === "Refused" ? error.message : refusal(error));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  private async ask(path: string, body: unknown): Promise<unknown> {
    let answer: Response;
    try {
      answer = await fetch(path, {
        method: "POST",
        headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch {
      throw refused(_("No connection. Check the network and try again."));
    }
    if (answer.ok) return answer.json();
    throw refused(await said(answer));
  }

  private say(text: string): void {
    this.saidTarget.textContent = text;
    this.saidTarget.hidden = !text;
  }
}

function refused(text: string): Error {
  const error = new Error(text);
  error.name = "Refused";
  return error;
}

async function said(answer: Response): Promise<string> {
  const problem = (await answer.json().catch(() => ({}))) as Partial<Problem>;
  const field = Object.values(problem.fields ?? {})[0];
  return field ?? (sentence(problem) || _("That did not work. Try again."));
}

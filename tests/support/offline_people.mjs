// A guest's phone and a colleague's: commands with an Idempotency-Key each, written down first and sent after.
import { Device, until } from "./offline_device.mjs";

const BURST = 30;

class CommandClient {
  constructor(kind, about, { code, network, rng }) {
    Object.assign(this, { kind, about, rng, ops: about.ops.length, at: 0, past: [], acknowledged: [], rejected: [], problems: [] });
    this.credentials = about.credentials;
    this.device = new Device(code[kind], { network, client: this });
    this.device.skew = about.skew_ms;
  }

  async play(most) {
    const count = Math.min(most, 1 + this.rng.below(BURST));
    for (const op of this.about.ops.slice(this.at, this.at + count)) await this.act(op);
    this.at += count;
    await this.send();
    return count;
  }

  page() {
    const page = this.device.pages[0] ?? this.device.open();
    if (page.fuse === Infinity && this.rng.chance(this.about.kill)) page.fuse = this.rng.below(40);
    return page;
  }

  /** An action of the plan; one whose page died is looked for among what is kept, and done again where it was not. */
  async act(op) {
    this.device.at = op.at;
    for (;;) {
      const page = this.page();
      const made = await until(page, () => this.write(page, op));
      if (!made.killed) {
        this.acknowledged.push(made.value);
        break;
      }
      const reader = this.device.open();
      const known = (await this.kept(reader)).find((one) => !this.acknowledged.includes(one.id) && this.is(one, op));
      if (known) {
        this.acknowledged.push(known.id);
        break;
      }
    }
    this.device.at = null;
  }

  async send() {
    const pages = [this.page()];
    if (this.rng.chance(this.about.second)) pages.push(this.device.open());
    await Promise.all(pages.map((page) => until(page, () => this.flush(page))));
  }

  async settled() {
    const page = this.device.rest();
    await this.flush(page);
    return (await this.kept(page)).every((one) => one.state === "rejected");
  }

  async report() {
    const page = this.device.rest();
    const kept = (await this.kept(page)).map(({ id, state, problem }) => ({ id, state, problem: problem?.type ?? "" }));
    return { kind: this.kind, acknowledged: this.acknowledged, kept, home: await this.home(), kills: this.device.kills, problems: this.problems };
  }
}

export class GuestClient extends CommandClient {
  constructor(about, tools) {
    super("guest", about, tools);
    this.person = { userId: about.user_id, tenantId: about.tenant_id };
  }

  /** The phone's key is known to the house from earlier nights, and its clock was set by an answer. */
  async begin() {
    const page = this.device.open();
    await page.app.database.keepFact("person", this.about.user_id);
    await page.app.claim.learnClock(new Date().toISOString(), 0);
    await page.app.claim.registeredKey(this.about.user_id, this.about.tenant_id);
  }

  is(command, op) {
    return Math.abs(command.at - op.at) < 2_000 && (command.kind === op.kind);
  }

  async write(page, op) {
    const command = await page.app.outbox.enqueue(this.person, { kind: op.kind, subject: op.code ?? "checkout", venueId: op.venue_id, venueName: null });
    return command.id;
  }

  async flush(page) {
    const { stop } = await page.app.outbox.flush();
    if (stop === "signed-out" || stop === "someone-else") this.problems.push(stop);
    if (stop === "wait") await page.app.database.keepFact("pause", { from: 0, until: 0 });
  }

  async kept(page) {
    return page.app.kept.commandsOf(this.about.user_id);
  }

  async home() {
    const { status, body } = await this.device.network.deliver({ path: "/api/patron/home", options: { headers: this.credentials } });
    return status === 200 ? JSON.parse(body) : { status };
  }
}

export class StaffClient extends CommandClient {
  constructor(about, tools) {
    super("staff", about, tools);
  }

  async begin() {
    this.device.open();
  }

  is(command, op) {
    return command.body.note === op.body.note;
  }

  async write(page, op) {
    const id = page.app.uuid.uuid7(this.device.now());
    const at = this.device.now();
    await page.app.outbox.enqueue({ id, person: this.about.user_id, url: "/api/emergency/sos", body: op.body, at, tries: 0, state: "queued" });
    return id;
  }

  async flush(page) {
    await page.app.outbox.flush(this.about.user_id);
  }

  async kept(page) {
    return page.app.outbox.unsent(this.about.user_id);
  }

  async home() {
    return null;
  }
}

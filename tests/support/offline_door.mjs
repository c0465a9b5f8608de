// A door's scanner: scans passes as its app does (state/scan.ts), with its own verdicts, log and signed calls.
import { createPrivateKey, sign } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Device, until } from "./offline_device.mjs";

const PATIENCE_MS = 850;
const STEP_MS = 10_000;
const BURST = 40;

export class DoorClient {
  constructor(about, { code, network, rng }) {
    Object.assign(this, { about, rng, ops: about.ops.length, at: 0, past: [], credentials: {}, told: [], log: [], problems: [] });
    this.device = new Device(code.door, { network, client: this });
    this.device.skew = about.skew_ms;
    this.keys = about.guests.map((guest) => createPrivateKey({ key: Buffer.from(guest.key, "base64"), format: "der", type: "pkcs8" }));
  }

  async begin() {
    const page = this.device.open();
    await page.app.device.enrol(this.about.code);
    this.snapshot = await page.app.device.signedCall("/api/door/snapshot");
  }

  /** What a guest's phone shows at a moment by the true clock. */
  show(guest, at) {
    const step = Math.floor(at / STEP_MS);
    const message = Buffer.from(`lastlight-pass-v1\n${this.about.guests[guest].pass}\n${step}`);
    return `LL1.${this.about.guests[guest].pass}.${step}.${sign("sha256", message, { key: this.keys[guest], dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }

  /** Some scans in a row, then an attempt to send; how many scans that were. */
  async play(most) {
    const count = Math.min(most, 1 + this.rng.below(BURST));
    if (this.rng.chance(this.about.jump)) this.device.skew += (this.rng.below(7) - 3) * 3_600_000;
    for (const op of this.about.ops.slice(this.at, this.at + count)) await this.scan(op);
    this.at += count;
    await this.send();
    return count;
  }

  page() {
    const page = this.device.pages[0] ?? this.device.open();
    if (page.fuse === Infinity && this.rng.chance(this.about.kill)) page.fuse = this.rng.below(60);
    return page;
  }

  /** A scan of the plan; a page that dies while it is written down is opened again, and looks whether it had been. */
  async scan(op) {
    const asks = op.ask === true;
    this.device.at = asks ? null : op.at;
    const code = this.show(op.guest, asks ? Date.now() : (op.shown ?? op.at));
    for (;;) {
      const page = this.page();
      const made = await until(page, () => (asks ? this.ask(page, code, op) : this.decide(page, code, op)));
      if (!made.killed) break;
      const known = await this.find(code, op);
      if (known) this.told.push({ guest: op.guest, sequence: known.sequence, ask: asks, said: asks ? "nothing" : known.decided });
      if (known) break;
    }
    this.device.at = null;
  }

  /** The line of a scan whose page died before it was told that it is written. */
  async find(code, op) {
    const reader = this.device.open();
    const lines = await reader.app.log.lines();
    this.device.close(reader);
    this.log = lines;
    return lines.find((line) => line.code === code && line.direction === op.direction && !this.told.some((told) => told.sequence === line.sequence));
  }

  async verdict(page, code, op) {
    const shown = page.app.pass.readShown(code);
    const genuine = await page.app.pass.isGenuine(shown, this.snapshot.keys);
    const at = await page.app.clock.serverNow();
    const question = { shown, direction: op.direction, at, genuine, snapshot: this.snapshot, log: this.log };
    return { shown, at, verdict: page.app.decide.decide(question) };
  }

  draft({ shown, at, op }, rest) {
    const { code, patronId: patron_id, name, step } = shown;
    const line = { code, patron_id, name, step, direction: op.direction, claimed_at: new Date(at).toISOString(), venue_id: this.snapshot.venue_id };
    return { ...line, decided: "server", refusal: "", override_reason: "", override_by: null, state: "asked", ...rest };
  }

  async decide(page, code, op) {
    const { shown, at, verdict } = await this.verdict(page, code, op);
    const rest = { decided: verdict.passed ? "admitted" : "refused", refusal: verdict.refusal, state: "queued" };
    const entry = await page.app.log.append(this.draft({ shown, at, op }, rest));
    this.log.push(entry);
    this.told.push({ guest: op.guest, sequence: entry.sequence, said: rest.decided });
  }

  async ask(page, code, op) {
    const { shown, at, verdict } = await this.verdict(page, code, op);
    if (verdict.certain) return this.decide(page, code, op); // nothing that the server knows could change it
    const entry = await page.app.log.append(this.draft({ shown, at, op }, {}));
    const asked = page.app.log.flush().then((report) => report.answers.find((one) => one.sequence === entry.sequence) ?? null, () => null);
    const heard = await Promise.race([asked, sleep(PATIENCE_MS, null)]);
    let said = heard && (heard.result === "refused" ? "refused" : "admitted");
    if (!heard) {
      said = verdict.passed ? "admitted" : "refused";
      await page.app.log.decideHere(entry.sequence, said, verdict.refusal);
    }
    this.told.push({ guest: op.guest, sequence: entry.sequence, ask: true, said });
    this.log = await page.app.log.lines();
  }

  /** Send what waits: the page, and now and then another tab or the worker at the same time. */
  async send() {
    const pages = [this.page()];
    if (this.rng.chance(this.about.second)) pages.push(this.device.open());
    await Promise.all(pages.map((page) => until(page, () => this.flush(page))));
    const reader = this.device.open();
    this.log = await reader.app.log.lines();
    this.device.close(reader);
  }

  async flush(page) {
    const { stop } = await page.app.log.flush();
    if (stop === "gone") this.problems.push(stop); // what is refused is asked again, and must be there in the end
    if (stop === "wait") await page.app.database.dropFact("pause");
  }

  async settled() {
    const page = this.device.rest();
    await this.flush(page);
    return (await page.app.log.unsent()).length === 0;
  }

  async report() {
    const page = this.device.rest();
    const lines = await page.app.log.lines();
    const view = await page.app.device.signedCall("/api/door/snapshot").catch(() => null);
    const facts = lines.map(({ sequence, patron_id, step, direction, claimed_at, decided, state, answer }) => ({
      sequence, patron_id, step, direction, claimed_at, decided, state, result: answer?.result ?? "", said: answer?.decided ?? "",
    }));
    const identity = await page.app.database.fact("identity");
    return { kind: "door", device_id: identity?.device_id, lines: facts, told: this.told, here: view?.here, kills: this.device.kills, problems: this.problems };
  }
}

// A network that is cut: before a request leaves, after it arrived, in the middle of its answer; it also delivers twice, late, and out of order.
import { setTimeout as sleep } from "node:timers/promises";

const LATE_MS = 400;

export class Network {
  /** Whole until it is cut, and again once it is healed. */
  constructor(base, faults, atOnce) {
    Object.assign(this, { base, faults, free: atOnce, waiting: [], whole: true });
    this.counts = { sent: 0, unsent: 0, answer_lost: 0, answer_cut: 0, doubled: 0, late: 0, replayed: 0, failed: 0 };
  }


  /** What a page's `fetch` does for a client with these credentials and this luck. */
  for(client) {
    return async (path, options = {}) => {
      const request = { path, options: { ...options, headers: { ...options.headers, ...client.credentials }, signal: undefined } };
      const fault = this.whole ? "" : this.draw(client.rng);
      if (fault === "unsent") {
        this.counts.unsent += 1;
        throw new TypeError("no network");
      }
      if (fault === "late") {
        this.counts.late += 1;
        void sleep(client.rng.below(LATE_MS)).then(() => this.deliver(request)).catch(() => undefined);
        throw new TypeError("cut; it arrives all the same, later");
      }
      if (fault === "doubled") {
        this.counts.doubled += 1;
        void this.deliver(request).catch(() => undefined);
      }
      const answer = await this.deliver(request);
      if (options.method === "POST") remember(client, request);
      if (fault === "replayed" && client.past.length) {
        this.counts.replayed += 1;
        const again = client.past[client.rng.below(client.past.length)];
        void this.deliver(again).catch(() => undefined);
      }
      if (fault === "answer_lost") {
        this.counts.answer_lost += 1;
        throw new TypeError("cut; the request had arrived");
      }
      if (fault === "answer_cut") {
        this.counts.answer_cut += 1;
        return new Response(answer.body.slice(0, client.rng.below(answer.body.length || 1)), answer);
      }
      return new Response(answer.status === 204 ? null : answer.body, answer);
    };
  }

  draw(rng) {
    let left = rng.next();
    for (const [fault, share] of Object.entries(this.faults)) {
      if (left < share) return fault;
      left -= share;
    }
    return "";
  }

  async deliver({ path, options }) {
    if (this.free > 0) this.free -= 1;
    else await new Promise((turn) => this.waiting.push(turn));
    try {
      this.counts.sent += 1;
      const answer = await fetch(this.base + path, options);
      return { status: answer.status, statusText: answer.statusText, headers: answer.headers, body: await answer.text() };
    } catch (error) {
      this.counts.failed += 1; // the server was killed meanwhile
      throw error;
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}

function remember(client, request) {
  client.past.push(request);
  if (client.past.length > 4) client.past.shift();
}

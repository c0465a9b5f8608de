// A door that learns that it was revoked, with lines that the server has not: what it hands in, and what it keeps until it has. Writes what
// became of it after each contact, as one JSON line.
import { bundles, Device } from "./offline_device.mjs";
import { conclude } from "./offline_script.mjs";

const ID = "0190a000-0000-7000-8000-000000000001";
const BAD = "code 1";
const taken = [];
let refusals = [];

const problem = (status, type, more = {}) =>
  new Response(JSON.stringify({ type: `https://lastlight.dev/problems/${type}`, title: type, detail: type, status, ...more }), {
    status,
    headers: { "content-type": "application/problem+json" },
  });

/** A server that has revoked the device; it takes its log but for one line, once it has said all that it has to say first. */
async function answer(path, { body }) {
  if (path === "/api/devices/enrolment") return Response.json({ tenant_id: ID, device_id: ID, venue_id: ID, venue: "Here", name: "Door", heartbeat_seconds: 30, now: new Date().toISOString() });
  if (path !== "/api/door/scans") return problem(401, "device-unknown");
  const refusal = refusals.shift();
  if (refusal) return problem(...refusal);
  const codes = JSON.parse(body).scans.map((scan) => scan.code);
  if (codes.includes(BAD)) return problem(422, "invalid");
  taken.push(...codes);
  return Response.json({ results: codes.map(() => ({})), inside: 0, now: new Date().toISOString() });
}

const device = new Device((await bundles()).door, { network: { for: () => answer }, client: null });
const page = device.open();
await page.app.device.enrol("a code");
for (let number = 0; number < 3; number += 1) {
  const line = { code: `code ${number}`, patron_id: ID, name: "", step: number, direction: "in", claimed_at: new Date().toISOString(), venue_id: ID };
  await page.app.log.append({ ...line, decided: "admitted", refusal: "", override_reason: "", override_by: null, state: "queued" });
}
const told = [];
for (const said of [[[503, "busy"]], [[429, "too-many-requests"]], [[403, "tenant-suspended"]], [[401, "device-clock-wrong", { now: new Date().toISOString() }]]]) {
  refusals = said;
  const heard = await page.app.device.signedCall("/api/door/snapshot").catch((error) => error.problem?.type ?? "gone");
  const gone = (await page.app.database.fact("gone")) ?? null;
  told.push({ heard, kept: (await page.app.log.lines()).length, unsent: gone && gone.unsent, taken: [...taken] });
}
conclude(told);

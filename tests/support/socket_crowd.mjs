// Many of npm's clients in one process: each connects again by itself with its cursor, and remembers which events it handled.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { url, tokens, remember } = JSON.parse((await input.next()).value);
const say = (what, then) => process.stdout.write(`${JSON.stringify(what)}\n`, then);

const clients = tokens.map((token, index) => {
  const client = { seqs: [], last: undefined, connects: 0, gaps: 0, refused: 0 };
  const transports = index % 2 ? ["polling"] : ["websocket"];
  const options = { path: "/realtime/", transports, reconnectionDelay: 50, reconnectionDelayMax: 200, timeout: 3_000, forceNew: true };
  const auth = (give) => give(client.last === undefined || !remember ? { token } : { token, after: client.last });
  const socket = io(url, { ...options, auth });
  socket.on("connect", () => (client.connects += 1));
  socket.on("connect_error", () => (client.refused += 1));
  socket.onAny((name, data) => {
    if (name === "system.gap") client.gaps += 1;
    if (name === "system.hello") client.last ??= data.seq;
    if (name.startsWith("system.")) return;
    client.seqs.push(data.seq);
    client.last = data.seq;
  });
  return client;
});

const wait = async (done, until) => {
  while (!done() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
};
await wait(() => clients.every((client) => client.last !== undefined), Date.now() + 60_000);
say({ greeted: clients.filter((client) => client.last !== undefined).length });
const { target, seconds } = JSON.parse((await input.next()).value);
await wait(() => clients.every((client) => client.last >= target), Date.now() + seconds * 1000);
await new Promise((resolve) => setTimeout(resolve, 200)); // what would come twice has come
say({ clients }, () => process.exit(0));

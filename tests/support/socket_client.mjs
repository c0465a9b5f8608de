// npm's socket.io-client as a browser would use it: prints [name, data] for all it hears, emits what stdin tells it to.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [url, text] = process.argv.slice(2);
const options = JSON.parse(text);
const say = (name, data) => process.stdout.write(JSON.stringify([name, data ?? null]) + "\n");
let last = options.auth?.after;

const socket = io(url, {
  path: "/realtime/",
  reconnectionDelay: 100,
  reconnectionDelayMax: 300,
  ...options,
  auth: (give) => give(last === undefined ? options.auth : { ...options.auth, after: last }),
});
socket.on("connect", () => say("connect", socket.io.engine.transport.name));

socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("connect_error", (error) => say("connect_error", error.data ?? error.message));
socket.onAny((name, data) => {
  // The cursor: the last event handled, or where the stream stood at the first hello (later ones are followed by what was missed).
  if (typeof data?.seq === "number" && (name !== "system.hello" || last === undefined)) last = data.seq;
  say(name, data);
});
createInterface({ input: process.stdin }).on("line", (line) => {
  const { name, data, drop } = JSON.parse(line);
  if (drop) socket.io.engine.close();
  else socket.emit(name, data, (answer) => say("ack", answer));
});

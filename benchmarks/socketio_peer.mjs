// The peer of benchmarks/sockets.py: npm's socket.io server as its documentation sets it up, on the same path and with the same room.
// Each line on stdin is one event, [name, body], that goes to everybody in the room.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { path: "/realtime/", transports: ["websocket"], pingInterval: 25_000, pingTimeout: 20_000 });

io.on("connection", (socket) => {
  socket.join("room");
  socket.emit("system.hello", { seq: 0 });
});
createInterface({ input: process.stdin })
  .on("line", (line) => io.to("room").emit(...JSON.parse(line)))
  .on("close", () => process.exit(0));
http.listen(0, "127.0.0.1", () => console.log(http.address().port));

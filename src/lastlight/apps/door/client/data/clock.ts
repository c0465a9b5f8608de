// The server's time, as far as this device knows it.
import { serverClock } from "../../../../ui/js/wire/clock";
import { fact, keepFact } from "./database";

export const { serverNow, learnClock } = serverClock({ read: () => fact("clock_ahead"), keep: (ahead) => keepFact("clock_ahead", ahead) });

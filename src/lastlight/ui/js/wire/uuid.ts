// UUIDv7: names a command once and for all, and sorts by the time it was made, also within one millisecond.
let lastTime = 0;
let lastCount = 0;

export function uuid7(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const [time, count] = tick(now, ((bytes[6]! & 0x07) << 8) | bytes[7]!);
  for (let i = 5, rest = time; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
  bytes[6] = 0x70 | (count >> 8);
  bytes[7] = count & 0xff;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The 12 bits behind the time count up while the clock stands still or goes back. */
function tick(now: number, seed: number): [number, number] {
  if (now > lastTime) [lastTime, lastCount] = [now, seed];
  else if (lastCount < 0xfff) lastCount += 1;
  else [lastTime, lastCount] = [lastTime + 1, seed];
  return [lastTime, lastCount];
}

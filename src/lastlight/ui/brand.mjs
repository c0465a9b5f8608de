// The mark of Last Light, drawn here: a dark room and one light rising from below, in the app's accent.
import { deflateSync } from "node:zlib";

export const ACCENTS = {
  patron: "#ff6a5e",
  staff: "#4ade99",
  management: "#43d5f0",
  owner: "#e2e3e8",
  platform: "#a99cf5",
  payee: "#e0bd63",
};
const ROOM_TOP = [0x26, 0x1e, 0x2c];
const ROOM_BOTTOM = [0x13, 0x0e, 0x17];
const SUN = { x: 0.5, y: 1.06, radius: 0.4, glow: 0.62 };
const SAMPLES = 3;

/** The same drawing as SVG: the favicon. */
export function markSvg(app) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="#1b1420"/>`
    + `<path d="M3.2 32a12.8 12.8 0 0 1 25.6 0z" fill="${ACCENTS[app]}"/></svg>`;
}

/** A square PNG. A maskable icon fills the square and keeps the light inside the safe circle. */
export function markPng(app, size, { maskable = false } = {}) {
  const sun = ACCENTS[app].match(/[0-9a-f]{2}/g).map((hex) => parseInt(hex, 16));
  const rows = Buffer.alloc((size * 4 + 1) * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = y * (size * 4 + 1) + 1 + x * 4;
      rows.set(pixel(x / size, y / size, 1 / size, sun, maskable), at);
    }
  }
  return png(size, rows);
}

function pixel(left, top, width, sun, maskable) {
  const sum = [0, 0, 0, 0];
  for (let i = 0; i < SAMPLES * SAMPLES; i++) {
    const u = left + (((i % SAMPLES) + 0.5) / SAMPLES) * width;
    const v = top + ((Math.floor(i / SAMPLES) + 0.5) / SAMPLES) * width;
    if (!maskable && !insideRoundedSquare(u, v, 0.28)) continue;
    const colour = shade(u, v, sun, maskable ? 0.82 : 1);
    for (let c = 0; c < 3; c++) sum[c] += colour[c];
    sum[3] += 255;
  }
  const covered = sum[3] / 255 || 1;
  return [sum[0] / covered, sum[1] / covered, sum[2] / covered, sum[3] / (SAMPLES * SAMPLES)].map(Math.round);
}

function shade(u, v, sun, scale) {
  const distance = Math.hypot(u - SUN.x, v - SUN.y) / scale;
  const room = ROOM_TOP.map((from, c) => from + (ROOM_BOTTOM[c] - from) * v);
  if (distance < SUN.radius) return sun;
  const glow = Math.max(0, 1 - (distance - SUN.radius) / (SUN.glow - SUN.radius)) ** 2 * 0.35;
  return room.map((base, c) => base + (sun[c] - base) * glow);
}

function insideRoundedSquare(u, v, radius) {
  const dx = Math.max(radius - u, u - (1 - radius), 0);
  const dy = Math.max(radius - v, v - (1 - radius), 0);
  return Math.hypot(dx, dy) <= radius;
}

function png(size, rows) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

// What a venue's code says in the open: which venue, screen or poster, until when. Whether it is genuine only the server knows.
import { fromBase64url } from "../../../../ui/js/wire/base64url";

export interface VenueCode {
  text: string;
  kind: "screen" | "poster";
  venueId: string;
  /** Milliseconds since 1970, or null for a poster's. */
  expiresAt: number | null;
}

const VERSION = 1;
const BYTES = 48;

/** Read a code, bare or as the address in a QR (`…/c/{text}`); null when it is not one of ours. */
export function readCode(scanned: string): VenueCode | null {
  const trimmed = scanned.trim();
  const mark = trimmed.lastIndexOf("/c/");
  const text = mark < 0 ? trimmed : trimmed.slice(mark + 3);
  const bytes = fromBase64url(text);
  if (!bytes || bytes.length !== BYTES || bytes[0] !== VERSION) return null;
  const view = new DataView(bytes.buffer);
  const kind = bytes[1] === 1 ? "screen" : bytes[1] === 2 ? "poster" : null;
  const expires = view.getUint32(20);
  if (!kind || (kind === "screen") !== expires > 0) return null;
  return { text, kind, venueId: uuidOf(bytes.subarray(2, 18)), expiresAt: expires ? expires * 1000 : null };
}

function uuidOf(bytes: Uint8Array): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

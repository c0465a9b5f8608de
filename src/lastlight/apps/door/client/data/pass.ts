// A guest's pass as a scanner sees it, read and checked with public keys alone: docs/pass-format.md.
import { fromBase64url } from "../../../../ui/js/wire/base64url";

const MARK = "LL1";
const VERSION = 1;
const KIND = 3;
const NAME_AT = 97;
const NAME_BYTES = 24;
const SIGNATURE_BYTES = 64;
/** The pass counts from a little before it was signed: clocks differ. */
const STARTS_EARLY_S = 300;

export interface ShownPass {
  code: string;
  pass: string;
  step: number;
  signature: Uint8Array<ArrayBuffer>;
  tenantId: string;
  patronId: string;
  keyId: string;
  phoneKey: Uint8Array<ArrayBuffer>;
  starts: number;
  expires: number;
  /** Years, or null where they are not known. */
  age: number | null;
  platformKey: string;
  name: string;
  body: Uint8Array<ArrayBuffer>;
  seal: Uint8Array<ArrayBuffer>;
}

/** Read what a scanner saw; null for what no phone of ours shows. Nothing is believed yet. */
export function readShown(text: string): ShownPass | null {
  const code = text.trim();
  const [mark, pass = "", step = "", signature = "", ...more] = code.split(".");
  const raw = fromBase64url(pass) as Uint8Array<ArrayBuffer> | null;
  const signed = fromBase64url(signature) as Uint8Array<ArrayBuffer> | null;
  if (mark !== MARK || more.length || !raw || !signed || !/^(?:0|[1-9][0-9]{0,10})$/.test(step)) return null;
  if (raw.length < NAME_AT + SIGNATURE_BYTES || raw[0] !== VERSION || raw[1] !== KIND) return null;
  const body = raw.slice(0, -SIGNATURE_BYTES);
  const name = body.slice(NAME_AT);
  if (name.length !== body[NAME_AT - 1] || name.length > NAME_BYTES) return null;
  const view = new DataView(raw.buffer);
  return {
    code,
    pass,
    step: Number(step),
    signature: signed,
    tenantId: uuidOf(raw.slice(2, 18)),
    patronId: uuidOf(raw.slice(18, 34)),
    keyId: uuidOf(raw.slice(34, 50)),
    phoneKey: raw.slice(50, 83),
    starts: view.getUint32(83),
    expires: view.getUint32(87),
    age: raw[91] || null,
    platformKey: hex(raw.slice(92, 96)),
    name: new TextDecoder().decode(name),
    body,
    seal: raw.slice(-SIGNATURE_BYTES),
  };
}

/** Whether the night has not ended and the time step is that of the moment (milliseconds): else a picture of the code. */
export function isAlive(shown: ShownPass, at: number, stepSeconds: number): boolean {
  const seconds = at / 1000;
  const begins = shown.step * stepSeconds;
  const tonight = shown.starts - STARTS_EARLY_S <= seconds && seconds < shown.expires;
  return tonight && begins - stepSeconds <= seconds && seconds < begins + 2 * stepSeconds;
}

/** Whether the platform signed the pass and the phone the step; undefined where the platform's key is not known here. */
export async function isGenuine(shown: ShownPass, keys: { id: string; public_key: string }[]): Promise<boolean | undefined> {
  const key = fromBase64url(keys.find((one) => one.id === shown.platformKey)?.public_key ?? "!") as Uint8Array<ArrayBuffer> | null;
  if (!key) return undefined;
  return (await isSealed(shown, key)) && (await isSignedByPhone(shown));
}

let sealed = new Map<string, boolean>();

/** One pass is shown many times in a night; its seal is looked at once. */
async function isSealed({ pass, seal, body }: ShownPass, key: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const known = sealed.get(pass);
  if (known !== undefined) return known;
  if (sealed.size > 2_000) sealed = new Map();
  const found = await verifyEd25519(seal, body, key);
  sealed.set(pass, found);
  return found;
}

async function verifyEd25519(signature: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>, key: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
  } catch {
    // This browser's WebCrypto does not know the curve.
    const { verifyAsync } = await import("@noble/ed25519");
    return verifyAsync(signature, message, key).catch(() => false);
  }
}

async function isSignedByPhone({ phoneKey, signature, pass, step }: ShownPass): Promise<boolean> {
  const point = uncompressed(phoneKey);
  if (!point) return false;
  const message = new TextEncoder().encode(`lastlight-pass-v1\n${pass}\n${step}`);
  try {
    const key = await crypto.subtle.importKey("raw", point, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, message);
  } catch {
    return false;
  }
}

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** The point of a compressed P-256 key (SEC 1), since not every browser imports those; null where x is on no point of the curve. */
function uncompressed(key: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
  if (key[0] !== 2 && key[0] !== 3) return null;
  const x = BigInt(`0x${hex(key.slice(1))}`);
  if (x >= P) return null;
  const square = (x * x * x - 3n * x + B) % P;
  const root = power((square + P) % P, (P + 1n) / 4n);
  if ((root * root - square) % P !== 0n) return null;
  const y = (root & 1n) === BigInt(key[0] & 1) ? root : P - root;
  const bytes = y.toString(16).padStart(64, "0").match(/../g)!;
  return Uint8Array.from([4, ...key.slice(1), ...bytes.map((byte) => parseInt(byte, 16))]);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % P) {
    if (rest & 1n) result = (result * square) % P;
  }
  return result;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function uuidOf(bytes: Uint8Array): string {
  const text = hex(bytes);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}

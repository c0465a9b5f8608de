// Passkeys (WebAuthn) in our own words: the server says what to ask for, the browser asks, the answer goes back as base64url.
import { fromBase64url, toBase64url } from "./wire/base64url";

interface KnownKey {
  id: string;
  transports: string[];
}

export interface Creation {
  challenge: string;
  rp_id: string;
  rp_name: string;
  user_id: string;
  user_name: string;
  user_display_name: string;
  algorithms: number[];
  exclude: KnownKey[];
}

export interface Request {
  challenge: string;
  rp_id: string;
  allow: KnownKey[];
  user_verification: UserVerificationRequirement;
}

export interface Shown {
  id: string;
  client_data: string;
  authenticator_data: string;
  signature: string;
  user_handle: string;
}

export interface Made {
  id: string;
  client_data: string;
  attestation: string;
  transports: string[];
}

const PATIENCE_MS = 120_000;

/** Why this browser cannot use passkeys here; empty where it can. */
export function unable(): string {
  if (!window.isSecureContext) return "Passkeys need https. Open Last Light by its public address.";
  if (!("credentials" in navigator) || !("PublicKeyCredential" in window)) return "This browser knows no passkeys. Use a code instead.";
  return "";
}

export async function makePasskey(asked: Creation): Promise<Made> {
  const made = (await navigator.credentials.create({
    publicKey: {
      challenge: asBytes(asked.challenge),
      rp: { id: asked.rp_id, name: asked.rp_name },
      user: { id: asBytes(asked.user_id), name: asked.user_name, displayName: asked.user_display_name },
      pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key", alg })),
      excludeCredentials: asked.exclude.map(described),
      authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
      attestation: "none",
      timeout: PATIENCE_MS,
    },
  })) as PublicKeyCredential | null;
  if (!made) throw new DOMException("nothing was made", "NotAllowedError");
  const answer = made.response as AuthenticatorAttestationResponse;
  return {
    id: made.id,
    client_data: asText(answer.clientDataJSON),
    attestation: asText(answer.attestationObject),
    transports: answer.getTransports?.() ?? [],
  };
}

export async function showPasskey(asked: Request): Promise<Shown> {
  const shown = (await navigator.credentials.get({
    publicKey: {
      challenge: asBytes(asked.challenge),
      rpId: asked.rp_id,
      allowCredentials: asked.allow.map(described),
      userVerification: asked.user_verification,
      timeout: PATIENCE_MS,
    },
  })) as PublicKeyCredential | null;
  if (!shown) throw new DOMException("nothing was shown", "NotAllowedError");
  const answer = shown.response as AuthenticatorAssertionResponse;
  return {
    id: shown.id,
    client_data: asText(answer.clientDataJSON),
    authenticator_data: asText(answer.authenticatorData),
    signature: asText(answer.signature),
    user_handle: answer.userHandle ? asText(answer.userHandle) : "",
  };
}

/** What a browser's refusal means, in a sentence. */
export function refusal(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "InvalidStateError") return "This device has a passkey of your account already.";
  if (name === "SecurityError") return "Passkeys do not work at this address. Open Last Light by its public address.";
  if (name === "NotSupportedError") return "This device cannot make a passkey of the kind that is needed.";
  return "No passkey was used. Try again, or choose another way.";
}

function described(key: KnownKey): PublicKeyCredentialDescriptor {
  return { type: "public-key", id: asBytes(key.id), transports: key.transports as AuthenticatorTransport[] };
}

function asBytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(fromBase64url(text) ?? []);
}

function asText(bytes: ArrayBuffer): string {
  return toBase64url(new Uint8Array(bytes));
}

// Calls to the server: same origin, by the session's cookie; a refusal is thrown as its problem.
/** Why the server refuses, as it writes it (RFC 9457), with the short name of its type. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  fields?: Record<string, string>;
  /** The server's time, where a clock is at fault. */
  now?: string;
  /** Of a sign-in whose password was right: what the second step goes on with, and the ways that are open. */
  ticket?: string;
  methods?: string;
}

const PATIENCE_MS = 12_000;
/** These say nothing about a command: it is sent again. */
const LATER = new Set([408, 425, 429]);
const TYPES = "https://lastlight.dev/problems/";

export class Refused extends Error {
  constructor(
    readonly problem: Problem,
    readonly retryAfterMs: number | null = null,
  ) {
    super(sentence(problem));
  }
}

/** No answer came: no network, a proxy in between, or too slow. */
export class Unreachable extends Error {
  constructor(
    message: string,
    /** Of an answer that came all the same, and is not one of ours. */
    readonly status = 0,
  ) {
    super(message);
  }
}

/** A problem in words for people: what it is, and what to do. */
export function sentence({ title = "", detail = "" }: Partial<Problem>): string {
  return title && detail && !detail.startsWith(title) ? `${title}. ${detail}` : detail || title;
}

/** Whether a refusal leaves it open what becomes of a command: it is sent again, under the same key. */
export function isLater({ status, type }: Problem): boolean {
  return status >= 500 || LATER.has(status) || type === "idempotency-key-in-flight";
}

/** Whether it is open what became of a command, for its answer was lost or does not tell. */
export function isOpen(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Refused && isLater(error.problem));
}

interface Options {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  headers?: Record<string, string>;
}

export async function call<Answer>(path: string, { method = "GET", body, headers = {} }: Options = {}): Promise<Answer> {
  const answer = await ask(path, { method, body, headers });
  if (answer.ok) return (answer.status === 204 ? null : await readJson(answer)) as Answer;
  throw await refusalOf(answer);
}

/** Whether this browser has a session: the front door sends on whoever has one, and turns nobody away. */
export async function hasSession(): Promise<boolean> {
  try {
    const door = await fetch("/", { redirect: "manual", credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    return door.type === "opaqueredirect";
  } catch (error) {
    throw new Unreachable(String(error));
  }
}

async function ask(path: string, { method, body, headers }: Options): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (error) {
    throw new Unreachable(String(error));
  }
}

async function readJson(answer: Response): Promise<unknown> {
  if (!answer.headers.get("content-type")?.includes("json")) throw new Unreachable("the answer is not from Last Light");
  try {
    return await answer.json();
  } catch (error) {
    throw new Unreachable(String(error));
  }
}

/** What an answer that is no success says. */
export async function refusalOf(answer: Response): Promise<Refused | Unreachable> {
  const json = answer.headers.get("content-type")?.includes("json");
  return refusalIn(json ? await answer.text().catch(() => "") : "", answer.status, retryAfter(answer));
}

/** The server's refusal; or, where a captive portal or a proxy speaks, that nobody of ours has answered: never a refusal. */
export function refusalIn(text: string, status: number, retryAfterMs: number | null = null): Refused | Unreachable {
  const { type, title = "", detail, fields = {}, now, ticket, methods } = problemIn(text);
  if (!type || !detail) return new Unreachable(`status ${status}`, status);
  return new Refused({ type: type.replace(TYPES, ""), title, detail, fields, now, ticket, methods, status }, retryAfterMs);
}

function problemIn(text: string): Partial<Problem> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<Problem>;
  } catch {
    return {};
  }
}

function retryAfter(answer: Response): number | null {
  const seconds = Number(answer.headers.get("retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 300) * 1000 : null;
}

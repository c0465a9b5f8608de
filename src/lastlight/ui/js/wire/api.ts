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
const TYPES = "https://lastlight.dev/problems/";

export class Refused extends Error {
  constructor(
    readonly problem: Problem,
    readonly retryAfterMs: number | null = null,
  ) {
    super(problem.detail);
  }
}

/** No answer came: no network, a proxy in between, or too slow. */
export class Unreachable extends Error {}

interface Options {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  headers?: Record<string, string>;
}

export async function call<Answer>(path: string, { method = "GET", body, headers = {} }: Options = {}): Promise<Answer> {
  const answer = await ask(path, { method, body, headers });
  if (answer.ok) return (answer.status === 204 ? null : await readJson(answer)) as Answer;
  throw new Refused(await problemOf(answer), retryAfter(answer));
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

async function problemOf(answer: Response): Promise<Problem> {
  if (answer.headers.get("content-type")?.includes("json")) {
    const problem = (await answer.json().catch(() => ({}))) as Partial<Problem>;
    if (problem.type && problem.detail) {
      const { title = "", detail, fields = {}, now, ticket, methods } = problem;
      return { type: problem.type.replace(TYPES, ""), title, detail, fields, now, ticket, methods, status: answer.status };
    }
  }
  // Not one of ours: a captive portal or a proxy speaks. Never a refusal.
  throw new Unreachable(`status ${answer.status}`);
}

function retryAfter(answer: Response): number | null {
  const seconds = Number(answer.headers.get("retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 300) * 1000 : null;
}

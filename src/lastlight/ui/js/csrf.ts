// Every htmx request carries the token of the page's <meta name="csrf-token">, or of the cookie when the page is older.
const COOKIE = "csrftoken";
const HEADER = "X-CSRFToken";

interface RequestEvent extends Event {
  detail: { ctx: { request: { headers: Record<string, string> } } };
}

export function csrfToken(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  if (meta) return meta;
  const pair = document.cookie.split("; ").find((part) => part.startsWith(`${COOKIE}=`));
  return pair ? decodeURIComponent(pair.slice(COOKIE.length + 1)) : "";
}

export function addCsrfToken(): void {
  document.addEventListener("htmx:config:request", (event) => {
    const token = csrfToken();
    if (token) (event as RequestEvent).detail.ctx.request.headers[HEADER] = token;
  });
}

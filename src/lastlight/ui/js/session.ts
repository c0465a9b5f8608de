// The session is over, though the page is still open: to the sign-in, unless words would be lost on the way.

const BAR = "session-ended";
let leaving = false;

/** Whoever signs out is on the way already: an answer to what the page still asked is not to lead them elsewhere. */
export function leave(): void {
  leaving = true;
  addEventListener("pageshow", () => (leaving = false), { once: true }); // the way back to this page as it was
}

/** Lead to the sign-in. Whoever has typed something is told first, and signs in beside it: what they typed can still be sent. */
export function sessionEnded(): void {
  if (leaving) return;
  const path = encodeURIComponent(location.pathname + location.search);
  if (!hasTyped()) return location.assign(`/sign-in?next=${path}`);
  if (!document.getElementById(BAR)) (document.querySelector("dialog[open] form") ?? document.getElementById("main"))?.prepend(bar());
}

/** Whether the answer leads to the sign-in because nobody is signed in any more: the server names the page to come back to. */
export function leadsToSignIn(redirect: string | undefined): boolean {
  return redirect?.startsWith("/sign-in?next=") ?? false;
}

function hasTyped(): boolean {
  const fields = document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("#main form :is(input, textarea), dialog[open] form :is(input, textarea)");
  return [...fields].some((field) => !["search", "hidden", "checkbox", "radio"].includes(field.type) && field.value !== field.defaultValue);
}

function bar(): HTMLElement {
  const found = document.createElement("div");
  found.id = BAR;
  found.className = "banner warn";
  found.setAttribute("role", "alert");
  const text = document.createElement("span");
  text.className = "text";
  const title = document.createElement("b");
  title.textContent = "Your session has ended.";
  text.append(title, " What you typed stays here: sign in in a new tab, then send it from this one.");
  const link = document.createElement("a");
  link.className = "btn sm";
  link.href = "/sign-in?next=/account";
  link.target = "_blank";
  link.textContent = "Sign in";
  link.addEventListener("click", () => found.remove());
  found.append(text, link);
  return found;
}

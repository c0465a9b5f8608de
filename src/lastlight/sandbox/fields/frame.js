// The frame in which a card is typed: it checks the fields, makes a payment method of them, confirms the intent, and tells the page what became of it.
(() => {
  "use strict";
  const VARIABLES = {
    colorPrimary: "--primary",
    colorBackground: "--background",
    colorText: "--text",
    colorTextSecondary: "--muted",
    colorTextPlaceholder: "--muted",
    colorDanger: "--danger",
    fontFamily: "--font",
    fontSizeBase: "--size",
    borderRadius: "--radius",
  };
  const SAYS = {
    number: { incomplete: "Your card number is incomplete.", wrong: "Your card number is invalid." },
    expiry: { incomplete: "Your card's expiration date is incomplete.", wrong: "Your card's expiration date is in the past." },
    cvc: { incomplete: "Your card's security code is incomplete.", wrong: "Your card's security code is invalid." },
  };
  const AT_FIELD = {
    incorrect_number: "number",
    invalid_number: "number",
    expired_card: "expiry",
    incorrect_cvc: "cvc",
  };
  const field = (name) => document.getElementById(name);
  const digits = (name) => field(name).value.replace(/\D/g, "");
  let page = "";

  function tell(message) {
    window.parent.postMessage(message, page || "*"); // before the page has spoken nothing is said but that the frame is there
  }

  function fits(number) {
    let sum = 0;
    [...number].reverse().forEach((digit, place) => {
      const doubled = Number(digit) * (place % 2 ? 2 : 1);
      sum += doubled > 9 ? doubled - 9 : doubled;
    });
    return sum % 10 === 0;
  }

  function expiry() {
    const given = digits("expiry");
    const year = Number(given.slice(2));
    return { month: Number(given.slice(0, 2)), year: given.length === 6 ? year : 2000 + year };
  }

  function state(name) {
    const given = digits(name);
    if (name === "number") {
      if (given.length < 14) return "incomplete";
      return fits(given) ? "" : "wrong";
    }
    if (name === "cvc") return given.length < 3 ? "incomplete" : "";
    if (given.length !== 4 && given.length !== 6) return "incomplete";
    const { month, year } = expiry();
    if (month < 1 || month > 12) return "incomplete";
    const now = new Date();
    return year * 12 + month < now.getFullYear() * 12 + now.getMonth() + 1 ? "wrong" : "";
  }

  function show(name, sentence) {
    field(`${name}-wrong`).textContent = sentence;
    field(name).setAttribute("aria-invalid", String(sentence !== ""));
  }

  function check() {
    const wrong = Object.keys(SAYS).filter((name) => state(name));
    for (const name of Object.keys(SAYS)) show(name, state(name) ? SAYS[name][state(name)] : "");
    if (!wrong.length) return {};
    const first = wrong[0];
    field(first).focus();
    const code = `${state(first) === "wrong" ? "invalid" : "incomplete"}_${first}`;
    return { error: { type: "validation_error", code, message: SAYS[first][state(first)] } };
  }

  async function post(key, path, form) {
    try {
      const answer = await fetch(path, {
        method: "POST",
        headers: { Authorization: `Bearer ${key}` },
        body: new URLSearchParams(form),
        credentials: "omit",
      });
      const found = await answer.json();
      return answer.ok ? { found } : { error: found.error };
    } catch {
      return { error: { type: "api_connection_error", message: "The payment processor cannot be reached." } };
    }
  }

  function failed(error) {
    const name = AT_FIELD[error.code];
    if (name) {
      show(name, error.message);
      field(name).focus();
    }
    return { error };
  }

  async function confirm({ key, clientSecret, returnUrl }) {
    const checked = check();
    if (checked.error) return checked;
    const { month, year } = expiry();
    const card = { "card[number]": digits("number"), "card[exp_month]": month, "card[exp_year]": year, "card[cvc]": digits("cvc") };
    const method = await post(key, "/v1/payment_methods", { type: "card", ...card });
    if (method.error) return failed(method.error);
    const id = clientSecret.split("_secret_")[0];
    const wish = { client_secret: clientSecret, payment_method: method.found.id, ...(returnUrl ? { return_url: returnUrl } : {}) };
    const paid = await post(key, `/v1/payment_intents/${encodeURIComponent(id)}/confirm`, wish);
    return paid.error ? failed(paid.error) : { paymentIntent: paid.found };
  }

  function dress({ theme, variables } = {}) {
    document.documentElement.dataset.theme = theme ?? "stripe";
    for (const [name, property] of Object.entries(VARIABLES)) {
      const value = variables?.[name];
      if (value) document.documentElement.style.setProperty(property, value);
      else document.documentElement.style.removeProperty(property);
    }
    return {};
  }

  function clear() {
    for (const name of Object.keys(SAYS)) {
      field(name).value = "";
      show(name, "");
    }
    return {};
  }

  const CALLS = {
    check,
    clear,
    confirm,
    dress: ({ appearance }) => dress(appearance),
    focus: () => (field("number").focus(), {}),
  };

  window.addEventListener("message", async (event) => {
    if (event.source !== window.parent || (page && event.origin !== page)) return;
    page = event.origin;
    const { asked, name, ...wish } = event.data ?? {};
    const answer = await CALLS[name]?.(wish);
    if (asked) tell({ answers: asked, answer });
  });

  function grouped(given) {
    return given.replace(/(.{4})(?=.)/g, "$1 ");
  }

  function dated(given) {
    return given.length > 2 ? `${given.slice(0, 2)} / ${given.slice(2)}` : given;
  }

  const SHAPES = { number: (given) => grouped(given.slice(0, 19)), expiry: (given) => dated(given.slice(0, 6)), cvc: (given) => given };

  for (const name of Object.keys(SAYS)) {
    const input = field(name);
    input.addEventListener("input", () => {
      const atEnd = input.selectionStart === input.value.length;
      if (atEnd) input.value = SHAPES[name](digits(name));
      show(name, "");
      const names = Object.keys(SAYS);
      const complete = names.every((one) => !state(one));
      const empty = names.every((one) => !digits(one));
      tell({ event: "change", detail: { complete, empty, collapsed: false, value: { type: "card" } } });
    });
    input.addEventListener("blur", () => digits(name) && show(name, state(name) ? SAYS[name][state(name)] : ""));
  }
  document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  new ResizeObserver(() => tell({ event: "height", height: Math.ceil(document.body.getBoundingClientRect().height) })).observe(
    document.body,
  );
  tell({ event: "loaded" });
})();

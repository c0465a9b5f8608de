// A stand-in for Stripe.js: the part of it that pages of ours use, with the same names, so that a page works with either.
// The card is typed into a frame of the sandbox; this script, which runs in the page, sees an intent and never a number.
(() => {
  "use strict";
  const ORIGIN = new URL(document.currentScript.src).origin;
  const FIELDS = `${ORIGIN}/_sandbox/fields/`;
  const UNCONFIRMED = {
    type: "invalid_request_error",
    code: "payment_intent_authentication_failure",
    message:
      "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
  };

  /** An error as Stripe.js throws it when a page uses it wrongly. */
  function misused(message) {
    const error = new Error(message);
    error.name = "IntegrationError";
    return error;
  }

  /** A frame of the sandbox in the page, without a style attribute, which a strict page forbids. */
  function framed(src, title) {
    const frame = document.createElement("iframe");
    Object.assign(frame, { src, title });
    Object.assign(frame.style, { border: "0", display: "block", width: "100%" });
    return frame;
  }

  /** Calls `hear` with every message of a frame; returns how to stop. */
  function listen(frame, hear) {
    const receive = (event) => {
      if (event.origin === ORIGIN && event.source === frame.contentWindow) hear(event.data);
    };
    window.addEventListener("message", receive);
    return () => window.removeEventListener("message", receive);
  }

  /** The fields of a card: what `elements.create("payment")` makes. */
  class PaymentElement {
    constructor(elements) {
      this._elements = elements;
      this._handlers = new Map();
      this._answers = new Map();
      this._asked = 0;
    }

    mount(place) {
      const target = typeof place === "string" ? document.querySelector(place) : place;
      if (!target) throw misused(`There is nothing at ${place} to mount the fields in.`);
      this.unmount();
      this._ready = new Promise((resolve) => {
        this._isReady = resolve;
      });
      this._frame = framed(FIELDS, "Secure card fields");
      this._frame.style.height = "17rem";
      this._stop = listen(this._frame, (told) => this._hear(told));
      target.replaceChildren(this._frame);
    }

    unmount() {
      this._stop?.();
      this._frame?.remove();
      this._frame = undefined;
    }

    destroy() {
      this.unmount();
      this._elements._forget(this);
    }

    on(name, handler) {
      this._handlers.set(name, [...(this._handlers.get(name) ?? []), handler]);
      return this;
    }

    off(name, handler) {
      const kept = handler ? (this._handlers.get(name) ?? []).filter((one) => one !== handler) : [];
      this._handlers.set(name, kept);
      return this;
    }

    focus() {
      this._frame?.focus();
      void this._ask("focus");
    }

    clear() {
      void this._ask("clear");
    }

    update() {}

    async _ask(name, wish = {}) {
      if (!this._frame) throw misused("Mount the fields before using them.");
      await this._ready;
      const asked = ++this._asked;
      const answered = new Promise((resolve) => this._answers.set(asked, resolve));
      this._frame.contentWindow.postMessage({ asked, name, ...wish }, ORIGIN);
      return answered;
    }

    _hear(told) {
      if (told.answers) {
        this._answers.get(told.answers)?.(told.answer);
        this._answers.delete(told.answers);
      } else if (told.event === "height") {
        this._frame.style.height = `${told.height}px`;
      } else if (told.event === "loaded") {
        this._frame.contentWindow.postMessage({ name: "dress", appearance: this._elements._appearance }, ORIGIN);
        this._isReady();
        this._tell("ready", { elementType: "payment" });
      } else {
        this._tell(told.event, { elementType: "payment", ...told.detail });
      }
    }

    _tell(name, detail) {
      for (const handler of this._handlers.get(name) ?? []) handler(detail);
    }
  }

  /** What `stripe.elements` makes. */
  class Elements {
    constructor({ clientSecret, appearance } = {}) {
      if (!clientSecret) throw misused("stripe.elements() needs the clientSecret of a payment intent.");
      this._clientSecret = clientSecret;
      this._appearance = appearance ?? {};
    }

    create(kind) {
      if (kind !== "payment") throw misused(`The sandbox makes the element "payment", not "${kind}".`);
      if (this._element) throw misused("There is a payment element already.");
      this._element = new PaymentElement(this);
      return this._element;
    }

    getElement(kind) {
      return kind === "payment" ? (this._element ?? null) : null;
    }

    update({ appearance } = {}) {
      this._appearance = appearance ?? this._appearance;
      if (this._element?._frame) void this._element._ask("dress", { appearance: this._appearance });
    }

    async submit() {
      if (!this._element) throw misused("Create and mount the payment element first.");
      return this._element._ask("check");
    }

    _forget(element) {
      if (this._element === element) this._element = undefined;
    }
  }

  /** Shows the page on which the payer's bank asks, above the page; resolves when it is answered or closed. */
  function confirmedByBank(url) {
    const address = new URL(url);
    address.searchParams.set("framed", "1");
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-label", "Confirm with your bank");
    Object.assign(dialog.style, { border: "0", borderRadius: "12px", padding: "0", width: "min(26rem, 92vw)" });
    const frame = framed(address.href, "Your bank asks");
    frame.style.height = "20rem";
    const close = document.createElement("button"); // Escape is not heard while the frame has the focus
    Object.assign(close, { type: "button", textContent: "Close" });
    Object.assign(close.style, { display: "block", margin: "0 0 0 auto", minHeight: "2.75rem", padding: "0 1.25rem", border: "0", background: "none", color: "inherit", font: "inherit" });
    close.addEventListener("click", () => dialog.close());
    dialog.append(close, frame);
    document.body.append(dialog);
    return new Promise((resolve) => {
      const stop = listen(frame, (told) => told.event === "confirmed" && dialog.close());
      dialog.addEventListener("close", () => {
        stop();
        dialog.remove();
        resolve();
      });
      dialog.showModal();
    });
  }

  /** Where a page is sent after a payment, as Stripe names what became of it. */
  function returning(url, intent) {
    const target = new URL(url);
    target.searchParams.set("payment_intent", intent.id);
    target.searchParams.set("payment_intent_client_secret", intent.client_secret);
    target.searchParams.set("redirect_status", "succeeded");
    return target.href;
  }

  function Stripe(key) {
    if (!/^pk_test_\w+$/.test(key ?? "")) throw misused("The sandbox takes a publishable key that begins with pk_test_.");

    async function retrievePaymentIntent(clientSecret) {
      const id = String(clientSecret).split("_secret_")[0];
      const address = `${ORIGIN}/v1/payment_intents/${encodeURIComponent(id)}?client_secret=${encodeURIComponent(clientSecret)}`;
      try {
        const answer = await fetch(address, { headers: { Authorization: `Bearer ${key}` }, credentials: "omit" });
        const found = await answer.json();
        return answer.ok ? { paymentIntent: found } : { error: found.error };
      } catch {
        return { error: { type: "api_connection_error", message: "The payment processor cannot be reached." } };
      }
    }

    async function handleNextAction({ clientSecret }) {
      const before = await retrievePaymentIntent(clientSecret);
      if (before.error || before.paymentIntent.status !== "requires_action") return before;
      await confirmedByBank(before.paymentIntent.next_action.redirect_to_url.url);
      const after = await retrievePaymentIntent(clientSecret);
      if (after.error) return after;
      const intent = after.paymentIntent;
      if (intent.status === "requires_action") return { error: { ...UNCONFIRMED, payment_intent: intent } };
      if (intent.status === "requires_payment_method") {
        return { error: { ...intent.last_payment_error, payment_intent: intent } };
      }
      return after;
    }

    async function confirmPayment({ elements, confirmParams = {}, redirect = "always" }) {
      const element = elements?._element;
      if (!element) throw misused("confirmPayment() needs elements with a payment element that is mounted.");
      if (redirect !== "if_required" && !confirmParams.return_url) {
        throw misused("confirmPayment() needs confirmParams.return_url, or redirect: 'if_required'.");
      }
      const wish = { key, clientSecret: elements._clientSecret, returnUrl: confirmParams.return_url ?? "" };
      let outcome = await element._ask("confirm", wish);
      if (outcome.paymentIntent?.status === "requires_action") {
        outcome = await handleNextAction({ clientSecret: elements._clientSecret });
      }
      if (outcome.error || redirect === "if_required") return outcome;
      window.location.assign(returning(confirmParams.return_url, outcome.paymentIntent));
      return new Promise(() => {}); // the page goes away
    }

    return {
      elements: (options) => new Elements(options),
      confirmPayment,
      retrievePaymentIntent,
      handleNextAction,
    };
  }

  Stripe.version = 3;
  window.Stripe = Stripe;
})();

"""The card fields in a real browser, on a page under the platform's own policy: what the page can see, and what a payer can do."""

import http.server
import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from lastlight.runtime.http.policy import CONTENT_SECURITY_POLICY, with_card_fields
from lastlight.runtime.processor import configured
from lastlight.runtime.settings import Settings
from tests.sandbox.conftest import TEST_KEY, Wire
from tests.support.browser import AXE, TAGS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(TEST_KEY), reason="these are the sandbox's own fields"),
]

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Pay</title>
<script src="{script}" defer></script><script src="/page.js" defer></script>
<main><h1>Pay</h1><div id="fields"></div><button id="pay">Pay</button><p id="outcome" role="status"></p></main></html>"""
SCRIPT = """
const query = new URLSearchParams(location.search);
window.outcome = null;
if (query.has("secret")) {
  window.stripe = Stripe(query.get("key"));
  window.elements = stripe.elements({ clientSecret: query.get("secret"), appearance: { theme: query.get("theme") ?? "stripe" } });
  window.told = [];
  const element = elements.create("payment");
  for (const name of ["ready", "change"]) element.on(name, (detail) => window.told.push([name, detail]));
  element.mount("#fields");
  document.querySelector("#pay").addEventListener("click", async () => {
    const redirect = query.get("redirect") ?? "if_required";
    const outcome = await stripe.confirmPayment({ elements, confirmParams: { return_url: location.origin + "/done" }, redirect });
    window.outcome = outcome;
    document.querySelector("#outcome").textContent = outcome.error ? outcome.error.message : outcome.paymentIntent.status;
  });
}
"""


@dataclass(frozen=True, slots=True)
class Till:
    """A site with one page to pay on; `wire` makes the intents."""

    base: str
    wire: Wire

    def intent(self, amount: int = 2500) -> dict[str, Any]:
        """A new wish to be paid."""
        return self.wire("POST", "/v1/payment_intents", f"amount={amount}&currency=zar").json()

    def address(self, intent: dict[str, Any], **more: str) -> str:
        """Where it is paid."""
        key = self.wire.key.replace("sk_", "pk_")
        rest = "".join(f"&{name}={value}" for name, value in more.items())
        return f"{self.base}/?key={key}&secret={intent['client_secret']}{rest}"


@pytest.fixture(scope="module")
def site(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The page, under the policy of a page with card fields; `/strict` is the same page under the policy of all others."""
    settings = Settings.load({}, var_dir=tmp_path_factory.mktemp("var"), stripe_api_base=sandbox)
    page = PAGE.format(script=configured(settings).fields_script).encode()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script = self.path == "/page.js"
            body = SCRIPT.encode() if script else page
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if script else "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            policy = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
            for name, value in (policy if self.path.startswith("/strict") else with_card_fields(settings)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def till(site: str, wire: Wire) -> Till:
    """The site with an account of the test's own."""
    return Till(site, wire)


@pytest.fixture
def page(browser: Browser) -> Generator[Page]:
    """A phone-sized page; what the console complains of fails the test, refusals of the sandbox aside."""
    page = browser.new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert [one for one in complaints if "Failed to load resource" not in one] == []


def fields(page: Page) -> FrameLocator:
    """The frame with the fields."""
    return page.frame_locator("iframe[title='Secure card fields']")


def typed(page: Page, number: str, expiry: str = "1234", cvc: str = "123") -> None:
    """Type a card, as fingers do."""
    for label, text in (("Card number", number), ("Expiry date", expiry), ("Security code", cvc)):
        fields(page).get_by_label(label).press_sequentially(text)


def pay(page: Page, outcome: str) -> dict[str, Any]:
    """Press the button, and what the page is told in the end."""
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page.get_by_role("status")).to_have_text(outcome)
    return page.evaluate("window.outcome")


def test_a_card_pays_and_the_page_never_sees_it(page: Page, till: Till) -> None:
    intent = till.intent()
    sent: list[tuple[str, str]] = []
    page.on("request", lambda request: sent.append((request.url, request.post_data or "")))
    page.goto(till.address(intent))
    typed(page, "4242424242424242")
    assert fields(page).get_by_label("Card number").input_value() == "4242 4242 4242 4242"
    assert fields(page).get_by_label("Expiry date").input_value() == "12 / 34"
    outcome = pay(page, "succeeded")
    assert outcome["paymentIntent"]["id"] == intent["id"]
    assert till.wire("GET", f"/v1/payment_intents/{intent['id']}").json()["status"] == "succeeded"
    with_number = [url for url, body in sent if "4242424242424242" in body + url]
    assert with_number == [f"{till.wire.base}/v1/payment_methods"]
    assert page.evaluate("() => { try { return frames[0].document.title } catch { return 'closed' } }") == "closed"
    assert "4242" not in page.evaluate(
        "JSON.stringify([window.outcome, window.told]) + document.documentElement.outerHTML"
    )
    told = page.evaluate("window.told")
    assert told[0] == ["ready", {"elementType": "payment"}]
    assert told[-1][1]["complete"] is True
    assert (
        page.evaluate(
            "stripe.retrievePaymentIntent(elements._clientSecret).then((found) => found.paymentIntent.status)"
        )
        == "succeeded"
    )


def test_a_declined_card_is_told_and_another_one_pays(page: Page, till: Till) -> None:
    page.goto(till.address(till.intent()))
    typed(page, "4000000000009995")
    error = pay(page, "Your card has insufficient funds.")["error"]
    assert (error["type"], error["code"], error["decline_code"]) == (
        "card_error",
        "card_declined",
        "insufficient_funds",
    )
    fields(page).get_by_label("Card number").fill("")
    fields(page).get_by_label("Card number").press_sequentially("5555555555554444")
    pay(page, "succeeded")


def test_what_is_wrong_is_said_at_its_field(page: Page, till: Till) -> None:
    page.goto(till.address(till.intent()))
    assert pay(page, "Your card number is incomplete.")["error"]["type"] == "validation_error"
    number = fields(page).get_by_label("Card number")
    expect(number).to_be_focused()
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(number).to_have_accessible_description("Your card number is incomplete.")
    typed(page, "4242424242424241", expiry="0120", cvc="12")
    pay(page, "Your card number is invalid.")
    expect(fields(page).get_by_label("Expiry date")).to_have_accessible_description(
        "Your card's expiration date is in the past."
    )
    expect(fields(page).get_by_label("Security code")).to_have_accessible_description(
        "Your card's security code is incomplete."
    )
    number.fill("")
    typed(page, "4000000000000127", expiry="", cvc="3")
    fields(page).get_by_label("Expiry date").fill("")
    fields(page).get_by_label("Expiry date").press_sequentially("1234")
    assert pay(page, "Your card's security code is incorrect.")["error"]["code"] == "incorrect_cvc"
    expect(fields(page).get_by_label("Security code")).to_be_focused()


@pytest.mark.parametrize(("button", "outcome"), [("Complete", "succeeded"), ("Fail", "We are unable to authenticate")])
def test_a_bank_that_asks(page: Page, till: Till, button: str, outcome: str) -> None:
    page.goto(till.address(till.intent()))
    typed(page, "4000000000003220")
    page.get_by_role("button", name="Pay", exact=True).click()
    bank = page.frame_locator("dialog iframe")
    expect(bank.get_by_role("heading")).to_have_text("Sandbox: your bank asks")
    bank.get_by_role("button", name=button).click()
    expect(page.get_by_role("status")).to_contain_text(outcome)
    expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize("way", ["Escape", "Close"])
def test_a_bank_that_is_not_answered(page: Page, till: Till, way: str) -> None:
    intent = till.intent()
    page.goto(till.address(intent))
    typed(page, "4000000000003220")
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page.frame_locator("dialog iframe").get_by_role("button", name="Complete")).to_be_visible()
    if way == "Escape":
        page.keyboard.press(way)
    else:
        page.frame_locator("dialog iframe").get_by_role("button", name="Complete").focus()
        page.get_by_role("button", name=way).click()
    expect(page.get_by_role("status")).to_contain_text("We are unable to authenticate")
    assert till.wire("GET", f"/v1/payment_intents/{intent['id']}").json()["status"] == "requires_action"


def test_a_page_that_wants_to_be_returned_to(page: Page, till: Till) -> None:
    intent = till.intent()
    page.goto(till.address(intent, redirect="always"))
    typed(page, "4242424242424242")
    page.get_by_role("button", name="Pay", exact=True).click()
    page.wait_for_url("**/done?*")
    assert f"payment_intent={intent['id']}" in page.url
    assert page.url.endswith("redirect_status=succeeded")


@pytest.mark.parametrize("theme", ["stripe", "night"])
def test_the_fields_are_open_to_everybody(page: Page, till: Till, theme: str) -> None:
    page.goto(till.address(till.intent(), theme=theme))
    typed(page, "4242", expiry="0120", cvc="1")
    pay(page, "Your card number is incomplete.")
    frame = next(one for one in page.frames if "/_sandbox/fields/" in one.url)
    assert frame.evaluate("document.documentElement.dataset.theme") == theme
    frame.evaluate(AXE.read_text())
    found = frame.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    height = frame.evaluate("document.body.getBoundingClientRect().height")
    expect(page.locator("iframe")).to_have_css("height", f"{-(-height // 1):.0f}px")


def test_a_page_that_may_not_load_the_fields_does_not(browser: Browser, site: str) -> None:
    """The negative control: under the policy of all other pages the script is refused."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto(f"{site}/strict")
    assert page.evaluate("typeof window.Stripe") == "undefined"
    assert any("Content Security Policy" in one for one in complaints)
    page.close()


def test_another_key_and_another_secret_pay_nothing(page: Page, till: Till) -> None:
    intent = till.intent()
    wrong = dict(intent, client_secret=f"{intent['id']}_secret_guessed")
    page.goto(till.address(wrong))
    typed(page, "4242424242424242")
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("client_secret provided does not match")
    assert till.wire("GET", f"/v1/payment_intents/{intent['id']}").json()["status"] == "requires_payment_method"


def test_the_files_are_there_and_nothing_beside_them(wire: Wire) -> None:
    for path, kind in (
        ("/stripe.js", "text/javascript"),
        ("/_sandbox/fields/", "text/html"),
        ("/_sandbox/fields/frame.css", "text/css"),
    ):
        answer = wire.http.get(wire.base + path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
    for path in ("/_sandbox/fields/__init__.py", "/_sandbox/fields/../app.py", "/stripe.js/x"):
        assert wire.http.get(wire.base + path).status_code in {401, 404}
    asked = wire.http.options(f"{wire.base}/v1/payment_intents/pi_1", headers={"origin": "http://page.example"})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "*")

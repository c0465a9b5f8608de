"""The page on which a card's holder confirms a payment, as a bank's page would ask; whoever has its address may."""

import html
import sqlite3
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from lastlight.sandbox import fields
from lastlight.sandbox.desk import Desk, desk_of, get
from lastlight.sandbox.money import written
from lastlight.sandbox.problems import Json, missing
from lastlight.sandbox.resources import payment_intents, setup_intents
from lastlight.sandbox.store import owner_of, transaction
from lastlight.sandbox.wire import Answer, Request

PREFIX = "/_sandbox/authenticate/"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Confirm</title>
<style>
  :root {{ color-scheme: light dark }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText }}
  main {{ max-width: 26rem; margin: 1.25rem auto; padding: 0 1.25rem }}
  h1 {{ margin: 0 0 .5rem; font-size: 1.25rem }}
  form {{ display: flex; flex-wrap: wrap; gap: .6rem; margin-top: 1.5rem }}
  button {{ flex: 1; font: inherit; font-weight: 600; min-height: 2.75rem; padding: 0 1.25rem; border: 1px solid GrayText; border-radius: 8px; background: Canvas; color: CanvasText }}
  button:first-child {{ border-color: CanvasText; background: CanvasText; color: Canvas }}
</style>
<main>
<h1>Sandbox: your bank asks</h1>
<p>{sentence}</p>
{form}
</main></html>
"""
_FORM = (
    '<form method="post"><button name="outcome" value="complete">Complete</button> '
    '<button name="outcome" value="fail">Fail</button></form>'
)
_TELL = f'<script src="{fields.FOLDER}confirmed.js"></script>'


def answer(db: sqlite3.Connection, request: Request) -> Answer:
    """Show the page, or take what was chosen on it and go back to where the payment was begun."""
    secret = request.path.removeprefix(PREFIX)
    identifier = secret.partition("_secret_")[0]
    account = owner_of(db, identifier)
    if account is None:
        raise missing("payment_intent", identifier)
    with transaction(db):
        desk = desk_of(db, account, request.base)
        kind = "setup_intent" if identifier.startswith("seti_") else "payment_intent"
        intent = get(desk, kind, identifier)
        if intent["client_secret"] != secret:
            raise missing(kind, identifier)
        if intent["status"] != "requires_action":
            return _page("There is nothing to confirm any more.", "")
        if request.method != "POST":
            return _page(_sentence(intent), _FORM)
        framed = parse_qs(request.query).get("framed") == ["1"]
        agreed = parse_qs(request.body.decode("utf-8", "replace")).get("outcome") == ["complete"]
        return _chosen(desk, intent, agreed=agreed, framed=framed)


def _sentence(intent: Json) -> str:
    if intent["object"] == "setup_intent":
        return "Keep this card for later payments?"
    return html.escape(f"Pay {written(intent['amount'], intent['currency'])}?")


def _chosen(desk: Desk, intent: Json, *, agreed: bool, framed: bool) -> Answer:
    back: str | None = intent["next_action"]["redirect_to_url"]["return_url"]
    owner = setup_intents if intent["object"] == "setup_intent" else payment_intents
    owner.authenticated(desk, intent, agreed=agreed)
    if framed or not back:
        return _page("Confirmed." if agreed else "Not confirmed.", _TELL if framed else "")
    fine = intent["status"] in {"succeeded", "requires_capture"}
    told = urlencode(
        {
            intent["object"]: intent["id"],
            f"{intent['object']}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if fine else "failed",
        }
    )
    parts = urlsplit(back)
    return Answer(303, b"", {"location": urlunsplit(parts._replace(query=f"{parts.query}&{told}".lstrip("&")))})


def _page(sentence: str, form: str) -> Answer:
    return Answer(
        200, _PAGE.format(sentence=sentence, form=form).encode(), {"content-type": "text/html; charset=utf-8"}
    )

"""What a card answers to a payment or setup intent: yes, no, or first a page on which its holder confirms."""

from lastlight.sandbox.cards import DECLINES
from lastlight.sandbox.desk import Desk
from lastlight.sandbox.events import shown
from lastlight.sandbox.problems import DOCS, Json, Refusal


def card_error(decline: str, method: Json, charge: str | None) -> Json:
    """The error of a declined card, as an intent keeps it and an answer carries it."""
    code, message = DECLINES[decline]
    told: Json = {
        "code": code,
        "doc_url": DOCS + code.replace("_", "-"),
        "message": message,
        "payment_method": shown(method),
        "type": "card_error",
    }
    if code in {"card_declined", "authentication_required"}:
        told["decline_code"] = decline
    if code == "incorrect_cvc":
        told["param"] = "cvc"
    return told | ({"charge": charge} if charge else {})


def authentication_failure(method: Json, code: str) -> Json:
    """The error of an intent whose payer did not confirm."""
    return {
        "code": code,
        "doc_url": DOCS + code.replace("_", "-"),
        "message": "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
        "payment_method": shown(method),
        "type": "invalid_request_error",
    }


def declined(error: Json, intent: Json) -> Refusal:
    """The answer to who asked: 402; what was written on the way stands."""
    told = dict(error)
    message, code = told.pop("message"), told.pop("code")
    told.pop("doc_url")
    kind, param = told.pop("type"), told.pop("param", "")
    return Refusal(
        message, status=402, kind=kind, code=code, param=param, keeps=True, **told, **{intent["object"]: shown(intent)}
    )


def redirect(desk: Desk, intent: Json, return_url: str | None) -> Json:
    """The page of the sandbox on which the payer confirms or refuses."""
    url = f"{desk.base}/_sandbox/authenticate/{intent['client_secret']}"
    return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}


def check_secret(desk: Desk, intent: Json, params: Json) -> None:
    """A publishable key, or whoever names the secret, must know it."""
    given = params.get("client_secret")
    if given is None and not desk.publishable:
        return
    if given != intent["client_secret"]:
        kind = intent["object"]
        raise Refusal(
            f"The client_secret provided does not match any associated {kind} on this account.",
            code=f"{kind}_invalid_parameter" if kind == "payment_intent" else "",
            param="client_secret",
        )

"""Stripe's keys: which of them belong together, and which of them may go where."""

from urllib.parse import urlsplit

STRIPE_BASE = "https://api.stripe.com"
"""Where Stripe's own API is."""

_SECRET = ("sk_test_", "rk_test_", "sk_live_", "rk_live_")
_PUBLISHABLE = ("pk_test_", "pk_live_")


def is_live(key: str) -> bool:
    """Whether a key moves money."""
    return key.startswith(("sk_live_", "rk_live_", "pk_live_"))


def is_stripes(base: str) -> bool:
    """Whether an address is Stripe's own API."""
    return base.rstrip("/") == STRIPE_BASE


def why_refused(*, secret_key: str, publishable_key: str, webhook_secrets: tuple[str, ...], base: str) -> str:
    """One sentence that says why these settings cannot be used together; empty when they can. It never shows a secret."""
    return (
        _shapes(secret_key, publishable_key, webhook_secrets)
        or _modes(secret_key, publishable_key)
        or (
            _with_stripe(secret_key, publishable_key, webhook_secrets)
            if is_stripes(base)
            else _with_sandbox(secret_key, publishable_key, base)
        )
    )


def _shapes(secret_key: str, publishable_key: str, webhook_secrets: tuple[str, ...]) -> str:
    if secret_key and not secret_key.startswith(_SECRET):
        return (
            "LASTLIGHT_STRIPE_SECRET_KEY must be a secret key: it begins with sk_test_, sk_live_, rk_test_ or rk_live_."
        )
    if publishable_key and not publishable_key.startswith(_PUBLISHABLE):
        return "LASTLIGHT_STRIPE_PUBLISHABLE_KEY must be a publishable key: it begins with pk_test_ or pk_live_."
    if any(len(secret) < 16 or not secret.startswith("whsec_") for secret in webhook_secrets):
        return "LASTLIGHT_STRIPE_WEBHOOK_SECRETS must be signing secrets of webhook endpoints: each begins with whsec_."
    return ""


def _modes(secret_key: str, publishable_key: str) -> str:
    if secret_key and publishable_key and is_live(secret_key) != is_live(publishable_key):
        return (
            "LASTLIGHT_STRIPE_SECRET_KEY and LASTLIGHT_STRIPE_PUBLISHABLE_KEY are of different modes: "
            "give two live keys or two test keys of the same account."
        )
    return ""


def _with_stripe(secret_key: str, publishable_key: str, webhook_secrets: tuple[str, ...]) -> str:
    wanted = {
        "LASTLIGHT_STRIPE_SECRET_KEY": secret_key,
        "LASTLIGHT_STRIPE_PUBLISHABLE_KEY": publishable_key,
        "LASTLIGHT_STRIPE_WEBHOOK_SECRETS": webhook_secrets,
    }
    absent = [name for name, value in wanted.items() if not value]
    if absent:
        return f"LASTLIGHT_STRIPE_API_BASE is Stripe's own address, which needs {' and '.join(absent)} too."
    return ""


def _with_sandbox(secret_key: str, publishable_key: str, base: str) -> str:
    where = f"LASTLIGHT_STRIPE_API_BASE is {_shown(base)}" if base else "LASTLIGHT_STRIPE_API_BASE is empty"
    if is_live(secret_key) or is_live(publishable_key):
        return (
            f"A live key of Stripe is set, but {where}, which is no place for it: "
            f"set LASTLIGHT_STRIPE_API_BASE={STRIPE_BASE}, or use test keys."
        )
    if secret_key.startswith("rk_"):
        return f"LASTLIGHT_STRIPE_SECRET_KEY is a restricted key, but {where}: the sandbox takes keys that begin with sk_test_."
    if publishable_key and not secret_key:
        return "LASTLIGHT_STRIPE_PUBLISHABLE_KEY is set without LASTLIGHT_STRIPE_SECRET_KEY: give both, or neither."
    return ""


def _shown(base: str) -> str:
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

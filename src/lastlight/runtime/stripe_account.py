"""Which processor this process speaks to, with which keys: Stripe, or the sandbox beside it, for which nothing need be set."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lastlight.runtime.secrets import derived
from lastlight.runtime.settings import Settings
from lastlight.runtime.stripe_keys import is_live, is_stripes

API_VERSION = "2026-10-28.endive"
"""The version that every call names, and that webhook endpoints must be made for."""
WEBHOOK_PATH = "/webhooks/stripe"
"""Where the processor tells the platform what happened."""
WEBHOOK_EVENTS = (
    "balance.available",
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.expired",
    "charge.failed",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "refund.created",
    "refund.failed",
    "refund.updated",
)
"""The events that a webhook endpoint of the platform is made for."""
_STRIPE_SCRIPTS = "https://js.stripe.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldsSources:
    """Where a page with card fields gets them from, as sources of a Content-Security-Policy."""

    script: tuple[str, ...]
    frame: tuple[str, ...]
    connect: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One processor and our keys to it."""

    secret_key: str = field(repr=False)
    publishable_key: str
    webhook_secrets: tuple[str, ...] = field(repr=False)
    """The secrets that may have signed a webhook, the newest first."""
    api_base: str
    sandbox: bool
    fields_origin: str
    """Where the script and the frames of the card fields come from."""
    fields_script: str
    """The script that defines `Stripe` on a page."""
    fields_sources: FieldsSources

    @property
    def live(self) -> bool:
        """Whether money moves."""
        return is_live(self.secret_key)


def configured(settings: Settings) -> Configuration:
    """The processor of these settings, which `Settings.load` has found to fit together."""
    if is_stripes(settings.stripe_api_base):
        return _stripe(settings)
    base = (settings.stripe_api_base or settings.sandbox_address).rstrip("/")
    origin = settings.sandbox_url.rstrip("/") or _origin(base)
    oldest = (settings.secret_key, *settings.secret_keys)[-1]  # stays through a change of keys, and the account with it
    return Configuration(
        secret_key=settings.stripe_secret_key or f"sk_test_{derived(oldest, 'sandbox-account')[:32]}",
        publishable_key=settings.stripe_publishable_key or f"pk_test_{derived(oldest, 'sandbox-pages')[:32]}",
        webhook_secrets=settings.stripe_webhook_secrets or _derived_secrets(settings),
        api_base=base,
        sandbox=True,
        fields_origin=origin,
        fields_script=f"{origin}/stripe.js",
        fields_sources=FieldsSources(script=(origin,), frame=(origin,), connect=(origin,)),
    )


def fields_origin(settings: Settings) -> str:
    """The origin that a page with card fields takes them from."""
    return configured(settings).fields_origin


def _stripe(settings: Settings) -> Configuration:
    return Configuration(
        secret_key=settings.stripe_secret_key,
        publishable_key=settings.stripe_publishable_key,
        webhook_secrets=settings.stripe_webhook_secrets,
        api_base=settings.stripe_api_base.rstrip("/"),
        sandbox=False,
        fields_origin=_STRIPE_SCRIPTS,
        fields_script=f"{_STRIPE_SCRIPTS}/{API_VERSION.partition('.')[2]}/stripe.js",
        fields_sources=FieldsSources(
            script=(_STRIPE_SCRIPTS, "https://*.js.stripe.com"),
            frame=(_STRIPE_SCRIPTS, "https://*.js.stripe.com", "https://hooks.stripe.com"),
            connect=("https://api.stripe.com",),
        ),
    )


def _derived_secrets(settings: Settings) -> tuple[str, ...]:
    keys = (settings.secret_key, *settings.secret_keys)
    return tuple(f"whsec_{derived(key, 'sandbox-webhooks')[:40]}" for key in keys)


def _origin(base: str) -> str:
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

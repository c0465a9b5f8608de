"""The platform's own account: its two keys, and the webhook endpoint that is there from the first start on."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from lastlight.runtime.settings import Settings, default_base_url
from lastlight.runtime.stripe_account import WEBHOOK_EVENTS, WEBHOOK_PATH, configured
from lastlight.runtime.stripe_keys import is_stripes
from lastlight.sandbox.desk import desk_of
from lastlight.sandbox.events import EVENTS
from lastlight.sandbox.resources.webhook_endpoints import keep_own
from lastlight.sandbox.store import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAccount:
    """What the platform's settings say about its account here."""

    account: str
    page_account: str
    """What its publishable key is called: another name, so that a page does not tell the secret key."""
    url: str
    secrets: tuple[str, ...]

    @property
    def pages(self) -> Mapping[str, str]:
        """The account behind the publishable key."""
        return {self.page_account: self.account}


def own_account(settings: Settings) -> OwnAccount | None:
    """The account that a platform with these settings uses; None where it pays through Stripe."""
    if is_stripes(settings.stripe_api_base):
        return None
    configuration = configured(settings)
    return OwnAccount(
        account=configuration.secret_key.partition("_test_")[2],
        page_account=configuration.publishable_key.partition("_test_")[2],
        # the platform is on this machine, whatever the world calls it
        url=default_base_url(settings.host, settings.port) + WEBHOOK_PATH,
        secrets=configuration.webhook_secrets,
    )


def register(db: sqlite3.Connection, own: OwnAccount, base: str) -> None:
    """Make or renew the endpoint that tells the platform of everything it uses; there is one, however often this is done."""
    wanted = [name for name in WEBHOOK_EVENTS if name in EVENTS]
    with transaction(db):
        keep_own(desk_of(db, own.account, base), url=own.url, events=wanted, secret=own.secrets[0])

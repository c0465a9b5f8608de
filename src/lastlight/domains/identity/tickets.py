"""The ticket between the two steps of a sign-in: it says that the password was right, and holds for five minutes."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import msgspec

from lastlight.domains.identity.contexts import As
from lastlight.domains.identity.factor_errors import SignInLate
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx
from lastlight.runtime.services import Services

PURPOSE = "sign-in"
LIFE = timedelta(minutes=5)
EARLY = datetime(2020, 1, 1, tzinfo=UTC)


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Whose password was right, and where they want to go. Without a second factor it opens nothing."""

    user_id: UserId
    mark: str
    """Of the password: it is over with a new one."""
    tenant: str | None = None
    as_: As | None = None
    label: str = ""


def password_mark(password_hash: str | None) -> str:
    """What a ticket remembers of a password."""
    return hashlib.sha256((password_hash or "").encode()).hexdigest()[:32]


def write_ticket(ctx: Ctx, *, ticket: Ticket) -> str:
    """A ticket as the client keeps it, signed."""
    return ctx.services.secrets.make_link(PURPOSE, msgspec.json.encode(ticket), expires_at=ctx.now + LIFE)


def read_ticket(ctx: Ctx, *, text: str) -> Ticket:
    """A ticket that we wrote, in time; SignInLate otherwise."""
    payload = ctx.services.secrets.read_link(PURPOSE, text, now=ctx.now)
    if payload is None:
        raise SignInLate
    return msgspec.json.decode(payload, type=Ticket)


def holder_of(services: Services, text: str) -> UserId | None:
    """Who holds a ticket, before the transaction: to count what they try. Its time is judged later."""
    payload = services.secrets.read_link(PURPOSE, text, now=EARLY)
    return None if payload is None else msgspec.json.decode(payload, type=Ticket).user_id


def is_current(ticket: Ticket, password_hash: str | None) -> bool:
    """Whether the password is still the one that was right."""
    return hmac.compare_digest(ticket.mark, password_mark(password_hash))

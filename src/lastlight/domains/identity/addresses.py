"""E-mail addresses: proving one's own, and changing it."""

from lastlight.domains.identity.errors import AddressTaken
from lastlight.domains.identity.events import UserEmailChanged, UserEmailVerified
from lastlight.domains.identity.jobs import mail_address_changed, mail_verification
from lastlight.domains.identity.session_ends import bump_sessions
from lastlight.domains.identity.tokens import retire_one_time, spend_one_time
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx


async def verify_email(ctx: Ctx, *, token: str) -> None:
    """Take the proof that an address is its owner's: the one they registered with, or the one they change to.

    Raises LinkInvalid when the link is none or was used, AddressTaken when somebody else has taken the new address since.
    """
    spent = await spend_one_time(ctx, token=token, purposes=["verify_email"])
    new = spent.data.get("email")
    if isinstance(new, str):
        await _move(ctx, user_id=spent.user_id, email=new)
    else:
        await mark_verified(ctx, user_id=spent.user_id)


async def mark_verified(ctx: Ctx, *, user_id: UserId) -> None:
    """Note that the address is proven, once."""
    changed = await ctx.db.execute(
        "update users set email_verified_at = now() where id = $1 and email_verified_at is null", user_id
    )
    if changed:
        await bump_sessions(ctx, user_id=user_id)
        ctx.emit(UserEmailVerified(user_id=user_id), entity=("user", user_id))


async def send_verification(ctx: Ctx) -> None:
    """Send the signed-in person another link, unless the address is proven."""
    if not ctx.actor.email_verified:
        await ctx.enqueue(mail_verification, user_id=ctx.actor.user_id)


async def _move(ctx: Ctx, *, user_id: UserId, email: str) -> None:
    """Change the address. What was sent to the old one stops working, and a proven old one is told."""
    row = await ctx.db.fetchrow("select email, email_verified_at from users where id = $1 for update", user_id)
    assert row is not None, "a token's user is there, by a foreign key"
    taken = await ctx.db.fetchval("select 1 from users where email = $1 and id <> $2", email, user_id)
    if taken:
        raise AddressTaken
    await ctx.db.execute("update users set email = $2, email_verified_at = now() where id = $1", user_id, email)
    await retire_one_time(ctx, user_id=user_id)
    await bump_sessions(ctx, user_id=user_id)
    ctx.emit(
        UserEmailChanged(user_id=user_id),
        entity=("user", user_id),
        before={"email": row["email"]},
        after={"email": email},
    )
    if row["email_verified_at"] is not None:
        await ctx.enqueue(mail_address_changed, user_id=user_id, old=row["email"])

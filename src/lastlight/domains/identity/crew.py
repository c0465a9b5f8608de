"""The way in for the first of the crew: somebody at the server's terminal, because nobody else could let them in."""

from lastlight.domains.identity.members import add_membership, person_behind
from lastlight.domains.identity.names import clean_email
from lastlight.domains.identity.roles import lock_role, role_by_key
from lastlight.domains.identity.tokens import issue_one_time
from lastlight.runtime.context import Ctx

HIGHEST = "super_admin"


async def admit_to_crew(ctx: Ctx, *, email: str, name: str) -> str:
    """Give the crew's highest role to the owner of an address; returns a token that sets a password, once, within 7 days.

    Needs the platform's tenant and the system's database role; may be repeated for a new token. Raises Invalid.
    """
    role = await lock_role(ctx, role_id=await role_by_key(ctx, key=HIGHEST))
    user_id, _ = await person_behind(ctx, email=clean_email(email), name=name)
    holds = await ctx.db.fetchval(
        "select exists (select from memberships where tenant_id = $1 and user_id = $2 and role_id = $3 and status = 'active')",
        ctx.tenant_id,
        user_id,
        role.id,
    )
    if not holds:
        await add_membership(ctx, user_id=user_id, role=role, venue_ids=None)
    return await issue_one_time(ctx, user_id=user_id, purpose="invitation")

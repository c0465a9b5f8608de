"""A business registers itself and waits; nothing it is told says who else is here."""

import zoneinfo
from uuid import UUID

import msgspec

from lastlight.domains import identity
from lastlight.domains.tenancy.events import TenantRegistered
from lastlight.domains.tenancy.jobs import mail_registration_received, mail_registration_refused
from lastlight.domains.tenancy.schemas import RegistrationIn
from lastlight.domains.tenancy.slugs import free_slug, slug_of
from lastlight.kernel.errors import Conflict, Invalid
from lastlight.kernel.ids import TenantId, UserId
from lastlight.runtime.auth.passwords import check_policy, hash_password
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.services import Services

MOST_WAITING = 10
SLUG_ATTEMPTS = 20


class Applicant(msgspec.Struct, frozen=True):
    """What is known of the applicant before the transaction: the account of the address, and the hash for a new one."""

    verdict: identity.Verdict
    password_hash: str


async def prepare_registration(services: Services, data: RegistrationIn, _actor: Actor) -> Applicant:
    """Check the fields, compare the password with an account of this address and hash it for a new one, in the same time."""
    email = identity.clean_email(data.contact_email, field="contact_email")
    identity.clean_name(data.name)
    identity.clean_name(data.contact_name, field="contact_name")
    check_time_zone(data.time_zone)
    check_policy(data.password, email=email)
    verdict = await identity.check_credentials(services, email=email, password=data.password)
    return Applicant(verdict, await hash_password(data.password))


def check_time_zone(name: str) -> None:
    """Refuse what is no time zone."""
    if name not in zoneinfo.available_timezones():
        raise Invalid(fields={"time_zone": "Give an IANA time zone such as Africa/Johannesburg."})


async def register_tenant(ctx: Ctx, *, data: RegistrationIn, applicant: Applicant) -> TenantId | None:
    """Record a registration; None when it is a repetition, or the address has an account and the password is not its own.

    Whoever owns the address learns by e-mail which of these it was; the answer is the same.
    """
    email = identity.clean_email(data.contact_email, field="contact_email")
    await ctx.db.execute("select pg_advisory_xact_lock(hashtextextended($1, 7))", f"registration {email}")
    user_id = await _account(ctx, email=email, name=identity.clean_name(data.contact_name), applicant=applicant)
    if user_id is None:
        if applicant.verdict.user_id is None and await _repeated(ctx, email=email, data=data):
            return None  # sent twice at once: the other made the account between the look at it and our turn
        await ctx.enqueue(mail_registration_refused, email=email, business=identity.clean_name(data.name))
        return None
    name = identity.clean_name(data.name)
    waiting = await ctx.db.fetch(
        "select lower(name) as name from tenants where applicant_id = $1 and status = 'pending'", user_id
    )
    if name.lower() in {row["name"] for row in waiting}:
        return None
    if len(waiting) >= MOST_WAITING:
        raise Conflict(f"{MOST_WAITING} registrations of yours wait already; let us decide on these first.")
    tenant_id, slug = await _insert(ctx, data=data, name=name, email=email, user_id=user_id)
    ctx.emit(
        TenantRegistered(tenant_id=tenant_id, slug=slug, name=name),
        entity=("tenant", tenant_id),
        after={"name": name, "slug": slug, "contact": data.contact_name, "email": email},
    )
    await ctx.enqueue(mail_registration_received, tenant=tenant_id)
    return tenant_id


async def _repeated(ctx: Ctx, *, email: str, data: RegistrationIn) -> bool:
    waiting = """select 1 from tenants
                 where contact_email = $1 and lower(name) = lower($2) and status = 'pending' and applicant_id is not null"""
    return bool(await ctx.db.fetchval(waiting, email, identity.clean_name(data.name)))


async def _account(ctx: Ctx, *, email: str, name: str, applicant: Applicant) -> UserId | None:
    """The applicant's account: a new one, or theirs if the password says so."""
    if applicant.verdict.right:
        return applicant.verdict.user_id
    if applicant.verdict.user_id is not None:
        return None
    return await identity.open_account(ctx, email=email, name=name, password_hash=applicant.password_hash)


async def _insert(ctx: Ctx, *, data: RegistrationIn, name: str, email: str, user_id: UUID) -> tuple[TenantId, str]:
    wish = slug_of(data.slug or data.name)
    for _ in range(SLUG_ATTEMPTS):
        taken = await ctx.db.fetch("select slug from tenants where slug = $1 or slug like $1 || '-%'", wish[:43])
        slug = free_slug(wish, [row["slug"] for row in taken])
        tenant_id = await ctx.db.fetchval(
            """insert into tenants (slug, name, contact_name, contact_email, contact_phone, country, currency, time_zone, locale, note,
                                    applicant_id)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (slug) do nothing returning id""",
            slug,
            name,
            identity.clean_name(data.contact_name),
            email,
            data.contact_phone.strip(),
            data.country,
            data.currency,
            data.time_zone,
            data.locale,
            data.note.strip(),
            user_id,
        )
        if tenant_id is not None:
            return TenantId(tenant_id), slug
    raise Conflict("No short name was free; choose another one.")

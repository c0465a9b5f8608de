"""The demonstration: two businesses with venues, people in every role, weeks of past nights, and their sign-ins in var/demo.json.

The same seed makes the same people and the same nights, small for looking around or large for load.
"""

import argparse
import dataclasses
from collections.abc import Mapping
from datetime import date

import msgspec
import structlog

from lastlight.cast import BUSINESSES, CREW, CREWS, SANCTIONS, SIZES, WAITING, Business, Person, Size
from lastlight.domains import (
    adjustments,
    checkins,
    flags,
    identity,
    ledger,
    resources,
    safety,
    staff,
    tasks,
    taxes,
    tenancy,
    venues,
)
from lastlight.domains.credits import seed_credits, seed_purchases
from lastlight.kernel.ids import PLATFORM, PatronId, TenantId, UserId, VenueId
from lastlight.main import create_services
from lastlight.runtime.auth.passwords import hash_password
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.statistics import refresh_statistics
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.files import replace_file
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from lastlight.simulator.crowd import guest_name

log = structlog.get_logger(__name__)

SEED = "lastlight-demo"
PASSWORD = "last-light-demo"  # noqa: S105 - the demonstration's password is printed for everybody
STATEMENT_MS = 60_000
TRANSACTION_MS = 600_000
CURRENCY = "select currency from tenants where id = $1"


async def seed_demo(settings: Settings, arguments: argparse.Namespace | None = None) -> None:
    """Fill the demonstration, unless it is there already in whatever size, and write its sign-ins. May be repeated."""
    size = SIZES[arguments.size if arguments is not None else "small"]
    longer = dataclasses.replace(settings, statement_timeout_ms=STATEMENT_MS, transaction_timeout_ms=TRANSACTION_MS)
    services = await create_services(longer)
    try:
        await tenancy.sync_tenants(services)
        if not await _is_seeded(services):
            await _fill(services, size)
            await refresh_statistics(settings)
        elif arguments is not None and arguments.size != "small":
            log.warning("the demonstration is there already; a larger one needs an empty database")
        await _write(services)
    finally:
        await services.close()


async def _is_seeded(services: Services) -> bool:
    async with system_ctx(services, PLATFORM, role="system") as ctx:
        return await ctx.db.fetchval("select exists (select from tenants where slug = $1)", WAITING[0])


async def _fill(services: Services, size: Size) -> None:
    hashed = await hash_password(PASSWORD)
    async with system_ctx(services, PLATFORM, role="system") as ctx:
        for person in CREW:
            user_id = await identity.seed_user(
                ctx, seed=SEED, email=person.email, name=person.name, password_hash=hashed
            )
            await identity.seed_member(ctx, seed=SEED, user_id=user_id, role=person.role)
    for business in BUSINESSES:
        log.info("seeding", business=business.name, guests=size.guests, nights=size.nights)
        await _fill_business(services, business, size, hashed)
    await _fill_waiting(services, hashed)
    await _fill_flags(services)


async def _fill_flags(services: Services) -> None:
    """One business answers for itself about a feature that all others have."""
    business = BUSINESSES[-1]
    async with system_ctx(
        services, TenantId(identity.seeded_id(SEED, "tenant", business.slug)), role="platform"
    ) as ctx:
        reason = "From next month on: their crew is being shown what to do when a guest calls."
        await flags.seed_answer(ctx, key=safety.GUEST_HELP.key, enabled=False, reason=reason)


async def _fill_business(services: Services, business: Business, size: Size, hashed: str) -> None:
    tenant_id = TenantId(identity.seeded_id(SEED, "tenant", business.slug))
    async with system_ctx(services, tenant_id, role="system") as ctx:
        await tenancy.seed_tenant(
            ctx,
            seed=SEED,
            slug=business.slug,
            name=business.name,
            contact_name=business.contact,
            contact_email=business.people[0].email,
            accent=business.accent,
        )
    async with system_ctx(services, tenant_id) as ctx:
        places = await venues.seed_venues(ctx, seed=SEED, slug=business.slug)
        await resources.seed_resources(ctx, seed=SEED, venue_ids=list(places.values()))
        await taxes.seed_taxes(ctx, seed=SEED)
        await ledger.open_chart(ctx)
    async with system_ctx(services, tenant_id, role="system") as ctx:
        known = await _fill_people(ctx, business, places, hashed)
        crews = await _fill_crews(ctx, business, places, hashed)
        guests = await _fill_guests(ctx, business, size, hashed)
    async with system_ctx(services, tenant_id) as ctx:
        await checkins.seed_history(
            ctx,
            seed=SEED,
            venue_ids=list(places.values()),
            patron_ids=[*known, *guests],
            nights=size.nights,
            away=known,
        )
        await venues.seed_shows(ctx, seed=SEED, venue_ids=list(places.values()), patron_ids=known)
        bookers = [*guests[:8], *known, *guests[8:]]
        await resources.seed_bookings(ctx, seed=SEED, venue_ids=list(places.values()), patron_ids=bookers)
        await _fill_floor(ctx, business, crews)
        await _fill_credits(ctx, business, list(places.values()), bookers)
    await _fill_purchases(services, tenant_id, list(places.values()), bookers)
    async with system_ctx(services, tenant_id, role="system") as ctx:
        for patron_id, (status, reason) in zip(reversed(guests), SANCTIONS, strict=False):
            by = _user_id(business, "manager")
            await identity.seed_sanction(ctx, seed=SEED, patron_id=patron_id, status=status, reason=reason, by=by)


async def _fill_credits(ctx: Ctx, business: Business, venue_ids: list[VenueId], guests: list[PatronId]) -> None:
    """Credits of the first guests, a cover charge that they paid, and adjustments of which some wait for the owner."""
    currency: str = await ctx.db.fetchval(CURRENCY, ctx.tenant_id)
    there = await _priced_in(ctx, venue_ids, currency)
    await seed_credits(ctx, venue_ids=there, patron_ids=guests, currency=currency)
    quieter = venue_ids[-1]  # the night of the demonstration is made of guests without credits
    await checkins.seed_entrance(ctx, venue_id=quieter, patron_ids=guests[:5])
    by, decider = _user_id(business, "manager"), _user_id(business, "owner")
    await adjustments.seed_adjustments(ctx, seed=SEED, patron_ids=guests, by=by, decider=decider, currency=currency)


async def _fill_purchases(
    services: Services, tenant_id: TenantId, venue_ids: list[VenueId], guests: list[PatronId]
) -> None:
    """Credits that others bought by card than those who were given some, so that each shows one thing."""
    async with system_ctx(services, tenant_id) as ctx:
        currency: str = await ctx.db.fetchval(CURRENCY, tenant_id)
        there = await _priced_in(ctx, venue_ids, currency)
    await seed_purchases(services, tenant_id, venue_ids=there, patron_ids=guests[3:], currency=currency)


async def _priced_in(ctx: Ctx, venue_ids: list[VenueId], currency: str) -> list[VenueId]:
    """Those of the venues whose prices are in a currency."""
    return [one for one in venue_ids if (await venues.read_venue(ctx, venue_id=one)).currency == currency]


async def _fill_floor(ctx: Ctx, business: Business, crews: Mapping[VenueId, list[UserId]]) -> None:
    """The rota, the tasks and the past trouble of those who work there."""
    manager = _user_id(business, "manager")
    await staff.seed_rota(ctx, seed=SEED, crews=crews, planner=manager)
    await tasks.seed_tasks(ctx, seed=SEED, crews=crews, maker=manager)
    await safety.seed_safety(ctx, seed=SEED, crews=crews, manager=manager, phone="+27 11 555 0110")


def _user_id(business: Business, role: str) -> UserId:
    email = next(person.email for person in business.people if person.role == role)
    return UserId(identity.seeded_id(SEED, "user", email))


async def _fill_crews(
    ctx: Ctx, business: Business, places: Mapping[str, VenueId], hashed: str
) -> dict[VenueId, list[UserId]]:
    """Who works at which venue: the person who signs in as staff first, at the main one."""
    crews = {places[business.main]: [_user_id(business, "staff")]}
    domain = business.people[0].email.partition("@")[2]
    for slug, names in CREWS[business.slug].items():
        for name in names:
            email = f"{name.split(maxsplit=1)[0].lower()}@{domain}"
            user_id = await identity.seed_user(ctx, seed=SEED, email=email, name=name, password_hash=hashed)
            await identity.seed_member(ctx, seed=SEED, user_id=user_id, role="staff", venue_ids=[places[slug]])
            crews.setdefault(places[slug], []).append(user_id)
    return crews


async def _fill_people(ctx: Ctx, business: Business, places: dict[str, VenueId], hashed: str) -> list[PatronId]:
    """The people with a sign-in; those of them who are guests."""
    patrons: list[PatronId] = []
    for person in business.people:
        user_id = await identity.seed_user(ctx, seed=SEED, email=person.email, name=person.name, password_hash=hashed)
        if person.role == "patron":
            patrons.append(
                await identity.seed_patron(
                    ctx, seed=SEED, user_id=user_id, name=person.name, birth_date=date(1996, 5, 17)
                )
            )
            continue
        only = [places[person.venue]] if person.venue else None
        await identity.seed_member(ctx, seed=SEED, user_id=user_id, role=person.role, venue_ids=only)
    return patrons


async def _fill_guests(ctx: Ctx, business: Business, size: Size, hashed: str) -> list[PatronId]:
    patrons: list[PatronId] = []
    for number in range(size.guests):
        name = guest_name(len(business.slug), number)
        email = f"{name.lower().replace(' ', '.')}.{number}@{business.slug}.example"
        user_id = await identity.seed_user(ctx, seed=SEED, email=email, name=name, password_hash=hashed)
        patrons.append(await identity.seed_patron(ctx, seed=SEED, user_id=user_id, name=name))
    return patrons


async def _fill_waiting(services: Services, hashed: str) -> None:
    slug, name, contact, email = WAITING
    async with system_ctx(services, PLATFORM, role="system") as ctx:
        user_id = await identity.seed_user(ctx, seed=SEED, email=email, name=contact, password_hash=hashed)
        await ctx.db.execute(
            """insert into tenants (id, slug, name, status, contact_name, contact_email, note, applicant_id)
               values ($1, $2, $3, 'pending', $4, $5, $6, $7) on conflict do nothing""",
            identity.seeded_id(SEED, "tenant", slug),
            slug,
            name,
            contact,
            email,
            "Three bars on one street, we open at sunset.",
            user_id,
        )


async def _write(services: Services) -> None:
    settings = services.settings
    sign_ins = [_sign_in(person, "platform", "") for person in CREW]
    for business in BUSINESSES:
        sign_ins += [_sign_in(person, business.slug, person.venue or business.main) for person in business.people]
    body = {"base_url": settings.base_url, "database_url": settings.dsn("looker"), "sign_ins": sign_ins}
    # the sign-ins: only their owner reads them
    replace_file(settings.demo_file, msgspec.json.format(msgspec.json.encode(body), indent=2), mode=0o600)


def _sign_in(person: Person, tenant: str, venue: str) -> dict[str, str]:
    return {
        "role": person.role,
        "email": person.email,
        "password": PASSWORD,
        "tenant": tenant,
        "venue": venue,
        "name": person.name,
    }

"""U6: over random histories of giving, changing and taking roles, nobody ever makes anybody hold what they do not hold themselves."""

import random
from collections.abc import Mapping
from uuid import UUID, uuid4

import msgspec
import pytest

from lastlight.domains import identity, tenancy
from lastlight.domains.identity import invitations, members, roles
from lastlight.domains.identity.invitation_schemas import InvitationIn
from lastlight.kernel.errors import Problem
from lastlight.kernel.ids import PLATFORM, RoleId, TenantId, UserId, VenueId
from lastlight.runtime.auth.grants import lacking, member_grants
from lastlight.runtime.context import Actor, Ctx, Grants
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from tests.support.people import Newcomer, People, Tenant

ALL = "select user_id, r.permissions, m.venue_ids from memberships m join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id"
STEPS = 60


class Graph(msgspec.Struct):
    """One tenant whose people try anything on each other."""

    world: People
    tenant: Tenant
    people: list[Newcomer]
    dice: random.Random

    async def held(self) -> dict[UUID, Grants]:
        """What everybody holds, by the database."""
        rows = await self.world.sql(
            f"{ALL} where m.tenant_id = $1 and m.status = 'active' and r.archived_at is null", self.tenant.id
        )
        found: dict[UUID, list[tuple[list[str], list[UUID] | None]]] = {}
        for row in rows:
            found.setdefault(row["user_id"], []).append((row["permissions"], row["venue_ids"]))
        known = self.world.services.registry.permissions
        return {user: member_grants(known, roles) for user, roles in found.items()}

    async def attempt(self, actor: Newcomer, held: Grants) -> str:
        """One random act by one person with what they hold; what it was, if it was allowed."""
        who = Actor(kind="member", user_id=actor.user_id, tenant_id=self.tenant.id, name="Somebody", grants=held)
        act = self.dice.choice((self.give, self.change, self.take, self.make, self.edit))
        try:
            async with unit_of_work(self.world.services, WorkScope(who, self.tenant.id, role="system")) as ctx:
                await act(ctx)
        except Problem:
            return ""
        return act.__name__

    def venues(self) -> list[VenueId] | None:
        return self.dice.choice((None, [self.tenant.venues[0]], [self.tenant.venues[1]], list(self.tenant.venues)))

    def permissions(self) -> list[str]:
        known = sorted(self.world.services.registry.permissions)
        return self.dice.sample(known, self.dice.randint(0, 4))

    async def role(self) -> RoleId:
        rows = await self.world.sql(
            "select id from roles where tenant_id = $1 and archived_at is null order by id", self.tenant.id
        )
        return RoleId(self.dice.choice(rows)["id"])

    async def membership(self) -> tuple[UUID, int]:
        rows = await self.world.sql(
            "select id, version from memberships where tenant_id = $1 and status <> 'ended' order by id", self.tenant.id
        )
        row = self.dice.choice(rows)
        return row["id"], row["version"]

    async def give(self, ctx: Ctx) -> None:
        email = self.dice.choice(self.people).email
        role_id, venue_ids = await self.role(), self.venues()
        data = InvitationIn(email=email, role_id=role_id, venue_ids=venue_ids)
        await invitations.invite(ctx, data=data)
        invited = await ctx.db.fetchval("select id from users where email = $1", email)
        role = await identity.lock_role(ctx, role_id=role_id)
        await identity.add_membership(ctx, user_id=invited, role=role, venue_ids=venue_ids)  # as accepting does

    async def change(self, ctx: Ctx) -> None:
        member_id, version = await self.membership()
        change = identity.MemberChangeIn(role_id=await self.role(), venue_ids=self.venues())
        await identity.change_member(ctx, member_id=member_id, data=change, version=version)

    async def take(self, ctx: Ctx) -> None:
        member_id, version = await self.membership()
        await identity.remove_member(ctx, member_id=member_id, version=version)

    async def make(self, ctx: Ctx) -> None:
        await identity.create_role(ctx, data=identity.RoleIn(name=f"r {uuid4()}", permissions=self.permissions()))

    async def edit(self, ctx: Ctx) -> None:
        role = await identity.read_role(ctx, role_id=await self.role())
        data = identity.RoleIn(name=role.name, permissions=self.permissions())
        await identity.change_role(ctx, role_id=role.id, data=data, version=role.version)


async def graph(world: People, seed: int) -> Graph:
    """A tenant with an owner, people with every built-in role, and one who edits roles and people but sees little else."""
    slug = f"graph-{uuid4().hex[:8]}"
    async with unit_of_work(world.services, WorkScope(Actor(kind="system"), PLATFORM, role="system")) as ctx:
        tenant_id = await tenancy.seed_tenant(ctx, seed="graph", slug=slug, name=slug)
    tenant = Tenant(TenantId(tenant_id), slug, [VenueId(uuid4()), VenueId(uuid4())])
    for venue in tenant.venues:
        await world.sql(
            "insert into venues (tenant_id, id, slug, name, time_zone, currency) values ($1, $2, $3, $3, 'UTC', 'ZAR')",
            tenant.id,
            venue,
            f"v{venue.hex[:8]}",
        )
    editor = ["members.manage", "members.read", "roles.manage", "roles.read", "visits.read"]
    await world.sql(
        "insert into roles (tenant_id, key, name, permissions) values ($1, 'editor', 'Editor', $2)", tenant.id, editor
    )
    people = [await world.newcomer(tenant, role=key) for key in ("owner", "manager", "staff", "editor", "editor")]
    people.append(await world.newcomer(tenant, role="vendor_admin", venue_ids=[tenant.venues[0]]))
    people.append(await world.newcomer(tenant))
    return Graph(world, tenant, people, random.Random(seed))  # noqa: S311 - a repeatable history, no secret


def grown(before: Mapping[UUID, Grants], after: Mapping[UUID, Grants], actor: Grants) -> list[str]:
    """What somebody holds now and neither held before nor the actor does."""
    return [
        f"{user}: {name}"
        for user, grants in after.items()
        for name in lacking(actor, grants.held)
        if name in lacking(before.get(user, Grants()), {name: grants.held[name]})
    ]


@pytest.mark.parametrize("seed", range(3))
async def test_no_history_lets_anybody_hand_out_what_they_lack(world: People, seed: int) -> None:
    here = await graph(world, seed)
    now = await here.held()
    done = 0
    for _ in range(STEPS):
        actor = here.dice.choice(here.people)
        mine = now.get(UserId(actor.user_id), Grants())
        what = await here.attempt(actor, mine)
        after = await here.held()
        assert grown(now, after, mine) == [], (what, actor.email)
        assert any(grants.allows("roles.manage") for grants in after.values()), "somebody can still hand out roles"
        done += bool(what)
        now = after
    assert done >= 3, "some of it is allowed, or this proves nothing"


def anything_goes(*_args: object, **_named: object) -> None:
    """A rule that forbids nothing."""


async def test_the_history_would_find_it(world: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the rule, the same history hands out what nobody may."""
    for module in (invitations, members, roles):
        monkeypatch.setattr(module, "require_within", anything_goes)
    here = await graph(world, 0)
    now = await here.held()
    for _ in range(STEPS):
        actor = here.dice.choice(here.people)
        mine = now.get(UserId(actor.user_id), Grants())
        await here.attempt(actor, mine)
        after = await here.held()
        if grown(now, after, mine):
            return
        now = after
    pytest.fail("nothing was handed out that should not be")

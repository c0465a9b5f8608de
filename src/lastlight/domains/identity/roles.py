"""The role editor: roles are lists of permissions, and nobody gives, changes or takes away more than they hold."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from lastlight.domains.identity.errors import GrantsTooMuch, RoleFixed, RoleInUse, RoleNameTaken
from lastlight.domains.identity.events import RoleArchived, RoleChanged, RoleCreated
from lastlight.domains.identity.schemas import PermissionOut, RoleIn, RoleOut
from lastlight.domains.identity.session_ends import bump_sessions
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import PLATFORM, RoleId, VenueId, uuid7
from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.auth.grants import effective, lacking
from lastlight.runtime.context import Ctx

ROLE = """
    select r.id, r.key, r.name, r.description, r.builtin, r.permissions, r.second_factor, r.updated_at,
           r.version,
           (select count(*) from memberships m
            where m.tenant_id = r.tenant_id and m.role_id = r.id and m.status <> 'ended') as members
    from roles r"""


class StoredRole(msgspec.Struct, frozen=True):
    """A role as its editor needs it."""

    id: RoleId
    key: str
    name: str
    description: str
    builtin: bool
    permissions: list[str]
    version: int


async def read_role(ctx: Ctx, *, role_id: UUID) -> RoleOut:
    """One role of the tenant; NotFound when there is none, or it is archived."""
    return await ctx.db.one(
        RoleOut, f"{ROLE} where r.tenant_id = $1 and r.id = $2 and r.archived_at is null", ctx.tenant_id, role_id
    )


def grantable(ctx: Ctx) -> dict[str, Permission]:
    """The permissions that roles here are made of: the tenant's and its venues', and on the platform the crew's too."""
    scopes = {Scope.VENUE, Scope.TENANT, Scope.PLATFORM} if ctx.tenant_id == PLATFORM else {Scope.VENUE, Scope.TENANT}
    return {name: p for name, p in ctx.services.registry.permissions.items() if p.scope in scopes}


def list_permissions(ctx: Ctx) -> list[PermissionOut]:
    """Every permission a role here may have, and whether the reader could hand it out for all venues."""
    return [
        PermissionOut(name, p.description, p.scope.value, not _lacks(ctx, [name], None))
        for name, p in sorted(grantable(ctx).items())
    ]


async def create_role(ctx: Ctx, *, data: RoleIn) -> RoleOut:
    """Create a role of the tenant's own. Raises Invalid, RoleNameTaken, GrantsTooMuch."""
    name, permissions = await _checked(ctx, data)
    role_id = RoleId(uuid7())
    await ctx.db.execute(
        "insert into roles (tenant_id, id, key, name, description, permissions) values ($1, $2, $3, $4, $5, $6)",
        ctx.tenant_id,
        role_id,
        f"own-{role_id.hex}",
        name,
        data.description.strip(),
        permissions,
    )
    ctx.emit(
        RoleCreated(role_id=role_id, name=name),
        entity=("role", role_id),
        after={"name": name, "permissions": permissions},
    )
    return await read_role(ctx, role_id=role_id)


async def change_role(ctx: Ctx, *, role_id: UUID, data: RoleIn, version: int) -> RoleOut:
    """Replace a role's name and permissions; it holds for its people from their next request. Raises as create_role, and Stale."""
    role = await _editable(ctx, role_id, version)
    name, permissions = await _checked(ctx, data, except_role=role.id)
    await ctx.db.execute(
        "update roles set name = $3, description = $4, permissions = $5 where tenant_id = $1 and id = $2",
        ctx.tenant_id,
        role.id,
        name,
        data.description.strip(),
        permissions,
    )
    await bump_sessions(ctx, role_id=role.id, tenant_id=ctx.tenant_id)
    ctx.emit(
        RoleChanged(role_id=role.id, name=name),
        entity=("role", role.id),
        before={"name": role.name, "permissions": role.permissions},
        after={"name": name, "permissions": permissions},
    )
    return await read_role(ctx, role_id=role.id)


async def archive_role(ctx: Ctx, *, role_id: UUID, version: int) -> None:
    """Take a role out of use, once nobody holds it. Raises RoleFixed, RoleInUse, GrantsTooMuch, Stale."""
    role = await _editable(ctx, role_id, version)
    held = await ctx.db.fetchval(
        "select count(*) from memberships where tenant_id = $1 and role_id = $2 and status <> 'ended'",
        ctx.tenant_id,
        role.id,
    )
    if held:
        raise RoleInUse(extra={"members": held})
    await ctx.db.execute(
        "update roles set archived_at = now() where tenant_id = $1 and id = $2", ctx.tenant_id, role.id
    )
    ctx.emit(
        RoleArchived(role_id=role.id),
        entity=("role", role.id),
        before={"name": role.name, "permissions": role.permissions},
    )


async def lock_role(ctx: Ctx, *, role_id: UUID) -> StoredRole:
    """A role that stays as it is until the end of the transaction; NotFound when there is none."""
    return await ctx.db.one(
        StoredRole,
        """select id, key, name, description, builtin, permissions, version from roles
           where tenant_id = $1 and id = $2 and archived_at is null for update""",
        ctx.tenant_id,
        role_id,
    )


def require_within(ctx: Ctx, *, permissions: Sequence[str], venue_ids: Sequence[UUID] | None) -> None:
    """Refuse (GrantsTooMuch) what would give more than the actor holds, for these venues (None: all of them)."""
    missing = _lacks(ctx, permissions, venue_ids)
    if missing:
        raise GrantsTooMuch(extra={"permissions": ", ".join(missing)})


def _lacks(ctx: Ctx, permissions: Sequence[str], venue_ids: Sequence[UUID] | None) -> list[str]:
    if ctx.actor.kind == "system":
        return []
    wanted: Mapping[str, frozenset[VenueId] | None] = effective(
        ctx.services.registry.permissions, permissions, venue_ids
    )
    if ctx.tenant_id == PLATFORM:
        wanted = dict.fromkeys(name for name in permissions if name in grantable(ctx))
    return lacking(ctx.actor.grants, wanted)


async def _editable(ctx: Ctx, role_id: UUID, version: int) -> StoredRole:
    role = await lock_role(ctx, role_id=role_id)
    if role.builtin:
        raise RoleFixed
    if role.version != version:
        raise Stale
    require_within(ctx, permissions=role.permissions, venue_ids=None)
    return role


async def _checked(ctx: Ctx, data: RoleIn, *, except_role: UUID | None = None) -> tuple[str, list[str]]:
    """The name and the permissions, sorted, each of them known and held."""
    name = " ".join(data.name.split())
    if not name:
        raise Invalid(fields={"name": "Give the role a name."})
    known = grantable(ctx)
    unknown = {
        f"permissions[{place}]": "There is no such permission for a role here; GET /api/permissions lists them."
        for place, permission in enumerate(data.permissions)
        if permission not in known
    }
    if unknown:
        raise Invalid(fields=unknown)
    taken = await ctx.db.fetchval(
        """select 1 from roles where tenant_id = $1 and lower(name) = lower($2) and archived_at is null
           and id is distinct from $3""",
        ctx.tenant_id,
        name,
        except_role,
    )
    if taken:
        raise RoleNameTaken
    permissions = sorted(set(data.permissions))
    require_within(ctx, permissions=permissions, venue_ids=None)
    return name, permissions


async def role_by_key(ctx: Ctx, *, key: str) -> RoleId:
    """The id of a built-in role of the tenant; NotFound before the roles are synced."""
    found = await ctx.db.fetchval(
        "select id from roles where tenant_id = $1 and key = $2 and archived_at is null", ctx.tenant_id, key
    )
    if found is None:
        raise NotFound
    return RoleId(found)

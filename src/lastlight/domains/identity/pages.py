"""People and roles on screens, for a tenant's owners and for the platform's own crew."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.identity import members, role_factor, roles
from lastlight.domains.identity.invitation_pages import who_and_where
from lastlight.domains.identity.permissions import MEMBERS_MANAGE, MEMBERS_READ, ROLES_MANAGE, ROLES_READ
from lastlight.domains.identity.queries import MEMBERS, ROLES, venue_choices
from lastlight.domains.identity.schemas import MemberChangeIn, RoleIn
from lastlight.kernel.ids import MembershipId, RoleId, VenueId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, View, page, page_post

NOUNS = {
    "audit": "Audit log",
    "checkins": "Check-ins",
    "members": "People",
    "patrons": "Guests",
    "tenant": "The business",
    "tenants": "Tenants",
}
Text = Annotated[str, msgspec.Meta(max_length=500)]


class MemberForm(Input, frozen=True, kw_only=True):
    """What changes about a member."""

    role_id: UUID
    venue_ids: list[UUID] = msgspec.field(default_factory=list[UUID])
    status: Literal["active", "suspended"] = "active"
    reason: Text = ""
    version: int


class RoleForm(Input, frozen=True, kw_only=True):
    """A role of one's own."""

    name: Annotated[str, msgspec.Meta(max_length=80)]
    description: Annotated[str, msgspec.Meta(max_length=300)] = ""
    permissions: list[str] = msgspec.field(default_factory=list[str])
    version: int = 0


class RoleFactorForm(Input, frozen=True, kw_only=True):
    """Whether the role requires a second factor."""

    required: bool = False
    version: int


class VersionForm(Input, frozen=True, kw_only=True):
    """The version that was read, and why it ends."""

    version: int
    reason: Text = ""


def people_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of members inside one console."""
    home = f"{prefix}/people"
    one = f"{home}/{{member_id:uuid}}"

    @page(home, permission=MEMBERS_READ, listing=MEMBERS)
    async def people_page(ctx: Ctx, query: Any) -> View:
        """List the people who work here."""
        view = await MEMBERS.view(ctx, query)
        shown = {"view": view, "home": home, "paged": bool(query.after), "venue_names": await _venue_names(ctx)}
        return View("identity/people.html", shown)

    async def facts(ctx: Ctx, *, member_id: UUID) -> dict[str, Any]:
        return await _member(ctx, member_id, home)

    @page(one, permission=MEMBERS_READ)
    async def member_page(ctx: Ctx, member_id: MembershipId) -> View:
        """Show one person's role and venues."""
        return View("identity/member.html", await facts(ctx, member_id=member_id))

    @page_post(one, permission=MEMBERS_MANAGE, form_page="identity/member.html", form_context=facts)
    async def member_submit(ctx: Ctx, member_id: MembershipId, form: Form[MemberForm]) -> Redirect:
        """Change a person's role, venues or state."""
        data = form.require()
        change = MemberChangeIn(
            role_id=RoleId(data.role_id),
            venue_ids=[VenueId(venue) for venue in data.venue_ids] or None,
            status=data.status,
            reason=data.reason,
        )
        member = await members.change_member(ctx, member_id=member_id, data=change, version=data.version)
        return Redirect(f"{home}/{member_id}", toast=f"Saved. It holds for {member.name} at once.")

    @page(f"{one}/removal", permission=MEMBERS_MANAGE)
    async def removal_dialog(ctx: Ctx, member_id: MembershipId) -> View:
        """Ask whether somebody is to be removed."""
        return View("identity/member_remove.html", await facts(ctx, member_id=member_id), block="dialog")

    @page_post(
        f"{one}/removal",
        permission=MEMBERS_MANAGE,
        form_page="identity/member_remove.html",
        form_block="dialog",
        form_context=facts,
    )
    async def removal_submit(ctx: Ctx, member_id: MembershipId, form: Form[VersionForm]) -> Redirect:
        """Take somebody's role away."""
        await members.remove_member(ctx, member_id=member_id, version=form.require().version)
        return Redirect(home, toast="Removed. It holds at once.")

    return (
        people_page,
        member_page,
        member_submit,
        removal_dialog,
        removal_submit,
    )


def role_pages(prefix: str) -> tuple[Operation, ...]:
    """The role editor inside one console."""
    home = f"{prefix}/roles"
    one = f"{home}/{{role_id:uuid}}"

    @page(home, permission=ROLES_READ, listing=ROLES)
    async def roles_page(ctx: Ctx, query: Any) -> View:
        """List roles."""
        view = await ROLES.view(ctx, query)
        return View("identity/roles.html", {"view": view, "home": home, "paged": bool(query.after)})

    async def blank(ctx: Ctx) -> dict[str, Any]:
        return {"home": home, "role": None, "groups": _groups(ctx), "history": None}

    @page(f"{home}/new", permission=ROLES_MANAGE)
    async def role_new_page(ctx: Ctx) -> View:
        """Ask for a new role."""
        return View("identity/role.html", await blank(ctx))

    @page_post(f"{home}/new", permission=ROLES_MANAGE, form_page="identity/role.html", form_context=blank)
    async def role_new_submit(ctx: Ctx, form: Form[RoleForm]) -> Redirect:
        """Create a role."""
        data = form.require()
        wanted = RoleIn(name=data.name, description=data.description, permissions=data.permissions)
        role = await roles.create_role(ctx, data=wanted)
        return Redirect(f"{home}/{role.id}", toast=f"{role.name} can be given to people now.")

    async def facts(ctx: Ctx, *, role_id: UUID) -> dict[str, Any]:
        role = await roles.read_role(ctx, role_id=role_id)
        story = await entity_history(ctx, entity="role", entity_id=role_id)
        return {"home": home, "role": role, "groups": _groups(ctx), "history": story}

    @page(one, permission=ROLES_READ)
    async def role_page(ctx: Ctx, role_id: RoleId) -> View:
        """Show one role and what it may do."""
        return View("identity/role.html", await facts(ctx, role_id=role_id))

    @page_post(one, permission=ROLES_MANAGE, form_page="identity/role.html", form_context=facts)
    async def role_submit(ctx: Ctx, role_id: RoleId, form: Form[RoleForm]) -> Redirect:
        """Change a role; it holds for everybody who has it at once."""
        data = form.require()
        wanted = RoleIn(name=data.name, description=data.description, permissions=data.permissions)
        await roles.change_role(ctx, role_id=role_id, data=wanted, version=data.version)
        return Redirect(f"{home}/{role_id}", toast="Saved. It holds at once.")

    @page_post(
        f"{one}/second-factor",
        permission=ROLES_MANAGE,
        db="system",
        form_page="identity/role.html",
        form_context=facts,
    )
    async def role_factor_submit(ctx: Ctx, role_id: RoleId, form: Form[RoleFactorForm]) -> Redirect:
        """Say whether a role requires a second factor."""
        data = form.require()
        role = await role_factor.require_second_factor(
            ctx, role_id=role_id, required=data.required, version=data.version
        )
        said = "asks for a second factor" if role.second_factor else "asks for no second factor"
        return Redirect(f"{home}/{role_id}", toast=f"{role.name} {said} from now on.")

    @page_post(f"{one}/archival", permission=ROLES_MANAGE)
    async def role_archive(ctx: Ctx, role_id: RoleId, form: Form[VersionForm]) -> Redirect:
        """Archive a role that nobody holds."""
        await roles.archive_role(ctx, role_id=role_id, version=form.require().version)
        return Redirect(home, toast="The role is archived.")

    return (roles_page, role_new_page, role_new_submit, role_page, role_submit, role_factor_submit, role_archive)


async def _venue_names(ctx: Ctx) -> dict[str, str]:
    return {str(venue.id): venue.name for venue in await venue_choices(ctx)}


async def _member(ctx: Ctx, member_id: UUID, home: str) -> dict[str, Any]:
    return {
        "member": await members.read_member(ctx, member_id=member_id),
        "home": home,
        "history": await entity_history(ctx, entity="member", entity_id=member_id),
        **await who_and_where(ctx),
    }


def _groups(ctx: Ctx) -> list[tuple[str, list[Any]]]:
    """Permissions by the noun they begin with."""
    grouped: dict[str, list[Any]] = {}
    for permission in roles.list_permissions(ctx):
        noun = permission.name.split(".")[0]
        grouped.setdefault(NOUNS.get(noun, noun.replace("_", " ").capitalize()), []).append(permission)
    return sorted(grouped.items())


PAGES = (
    *people_pages("/owner"),
    *role_pages("/owner"),
    *people_pages("/manage"),
    *people_pages("/platform"),
    *role_pages("/platform"),
)

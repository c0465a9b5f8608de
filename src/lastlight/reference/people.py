"""The pages of permissions and of roles."""

from collections.abc import Iterable

from lastlight.domains.identity import GUEST, PATRON, Preset, presets_for
from lastlight.kernel.permissions import Permission, Scope
from lastlight.reference.markdown import code, codes, facts, link, page, table
from lastlight.reference.operations import paths_of
from lastlight.runtime.module import Registry

PERMISSIONS_INTRO = """\
Code asks for permissions, never for roles. A permission's scope says how far it reaches: at some or all *venues*, in the whole *tenant*, over
what is a guest's *own*, or over the *platform*. Which role holds it is [data](roles.md); a business may change its roles."""
ROLES_INTRO = """\
Roles are presets over [permissions](permissions.md), copied into each business when it is approved. A business edits the copies and makes roles of
its own; nobody grants what they lack, and a membership may be limited to venues. A guest's permissions are no role: they come with being a guest."""
SCOPES = {
    Scope.VENUE: "for all or some venues of a business",
    Scope.TENANT: "for the whole business",
    Scope.OWN: "over what is the guest's own",
    Scope.PLATFORM: "over the platform",
}


def permissions_page(registry: Registry) -> str:
    """Every permission: what it allows, where it counts, who holds it."""
    parts: list[str] = []
    for module in registry.modules:
        if module.permissions:
            parts.append(f"## {module.name}")
            parts += [part for permission in module.permissions for part in _permission(permission, registry)]
    return page("Permissions", PERMISSIONS_INTRO, parts)


def roles_page(registry: Registry) -> str:
    """Every built-in role with its permissions, and who holds what as one table."""
    of_tenants, of_crew = presets_for(platform=False), presets_for(platform=True)
    guest = [
        "## Guests",
        "A guest of a business holds:",
        _held(PATRON, registry),
        "Somebody who is signed in and in no business yet holds " + (codes(GUEST) or "none; they may join one") + ".",
    ]
    return page(
        "Roles",
        ROLES_INTRO,
        [
            "## Roles of a business",
            *(part for preset in of_tenants for part in _role(preset, registry)),
            "## Roles of the platform's crew",
            *(part for preset in of_crew for part in _role(preset, registry)),
            *guest,
            "## Who holds what",
            _matrix((*of_tenants, *of_crew), registry),
        ],
    )


def _permission(permission: Permission, registry: Registry) -> Iterable[str]:
    guarded = [op for op in registry.operations if op.permission == permission]
    heard = [event.event_name for event in registry.events.values() if event.audience == permission]
    listed = [listing.name for listing in registry.listings.values() if listing.permission == permission]
    return (
        f"### {permission.name}",
        f"{permission.description.rstrip('.')}.",
        facts(
            [
                ("Reaches", SCOPES[permission.scope]),
                (
                    "Held by",
                    ", ".join(_holders(permission, registry)) or "no built-in role; grant it where it is needed",
                ),
                ("Operations", paths_of(op for op in guarded if op.kind == "api")),
                ("Pages", paths_of(op for op in guarded if op.kind == "page")),
                ("Lists", ", ".join(link(name, page="listings") for name in sorted(listed))),
                ("Hears", ", ".join(link(name, page="events") for name in sorted(heard))),
            ]
        ),
    )


def _holders(permission: Permission, registry: Registry) -> Iterable[str]:
    presets = (*presets_for(platform=False), *presets_for(platform=True))
    roles = [preset for preset in presets if permission.name in preset.resolve(registry.permissions)]
    named = [link(preset.name, page="roles") for preset in roles]
    return [*named, link("Guests", page="roles")] if permission.name in PATRON else named


def _role(preset: Preset, registry: Registry) -> Iterable[str]:
    held = preset.resolve(registry.permissions)
    return (f"### {preset.name}", f"{code(preset.key)}: {preset.description}", _held(held, registry))


def _held(names: Iterable[str], registry: Registry) -> str:
    return table(
        ["permission", "allows"],
        (
            (link(name, page="permissions"), registry.permissions[name].description)
            for name in names
            if name in registry.permissions
        ),
    )


def _matrix(presets: Iterable[Preset], registry: Registry) -> str:
    held = {preset.name: set(preset.resolve(registry.permissions)) for preset in presets}
    return table(
        ["permission", *held, "Guest"],
        (
            (code(name), *("yes" if name in names else "" for names in held.values()), "yes" if name in PATRON else "")
            for name in sorted(registry.permissions)
        ),
    )

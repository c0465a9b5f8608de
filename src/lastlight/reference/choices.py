"""The page of settings: those of an installation, from its environment, and those of each business."""

from typing import Any

from lastlight.reference.markdown import code, codes, facts, link, page, table
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import SETTINGS, Setting
from lastlight.runtime.tenant_settings import SETTINGS_MANAGE, SETTINGS_READ, TenantSetting

INTRO = """\
An *installation* is set up by its environment, read once when a process starts; a variable that begins with `LASTLIGHT_` and is not listed here is
refused. A *business* decides the rest for itself, on its settings page or by `PUT /api/settings/{key}`. A secret is never shown, logged or reported."""
KINDS = {"str": "text", "int": "whole number", "bool": "true or false", "Path": "folder", "tuple": "list with commas"}


def settings_page(registry: Registry) -> str:
    """The environment's variables, then every setting that modules declare."""
    own = sorted(registry.settings.values(), key=lambda declared: declared.key)
    of_business = [declared for declared in own if not declared.platform]
    of_platform = [declared for declared in own if declared.platform]
    return page(
        "Settings",
        INTRO,
        [
            "## Environment",
            table(["variable", "type", "default", "meaning"], map(_variable, SETTINGS)),
            "## Settings of a business",
            facts(
                [
                    ("Read with", link(SETTINGS_READ.name, page="permissions")),
                    ("Changed with", link(SETTINGS_MANAGE.name, page="permissions")),
                ]
            ),
            *(part for declared in of_business for part in _declared(declared)),
            *(
                ["## Parameters of the platform", "Set by the crew, in force for every business."]
                if of_platform
                else []
            ),
            *(part for declared in of_platform for part in _declared(declared)),
        ],
    )


def _variable(setting: Setting) -> tuple[str, str, str, str]:
    kind = codes(setting.choices) if setting.choices else KINDS[setting.kind]
    notes = [
        setting.description,
        f"At least {setting.minimum}." if setting.minimum is not None else "",
        "Secret." if setting.secret else "",
    ]
    return code(setting.variable), kind, _default(setting.default), " ".join(note for note in notes if note)


def _default(value: Any) -> str:
    if value in ("", ()):
        return "empty"
    return code(str(value).lower() if isinstance(value, bool) else value)


def _declared(declared: TenantSetting[Any]) -> tuple[str, str, str]:
    bounds = [
        f"at least {declared.minimum}" if declared.minimum is not None else "",
        f"at most {declared.maximum}" if declared.maximum is not None else "",
    ]
    known = [
        ("What", declared.label),
        ("Type", " ".join((codes(value for value, _ in declared.choices) or declared.kind, declared.unit)).strip()),
        ("Default", _default(declared.default)),
        ("Bounds", ", ".join(bound for bound in bounds if bound)),
    ]
    return f"### {declared.key}", declared.description, facts(known)

"""The template environment: where templates live, which filters and components they may use, how a page is rendered."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateNotFound,
)
from jinja2.runtime import Macro

from lastlight.ui import addresses, cells, formats, translations
from lastlight.ui.assets import Assets
from lastlight.ui.reader import reading_as
from lastlight.ui.shell import initials, palette_commands

PACKAGE = Path(__file__).parents[1]
UI = PACKAGE / "ui"
BUILD = UI / "build"
DEFAULT_ZONE = "Africa/Johannesburg"
FILTERS: dict[str, Callable[..., Any]] = {
    "as_moment": formats.as_moment,
    "clock": formats.clock,
    "date": formats.day,
    "datetime": formats.moment,
    "duration": formats.duration,
    "field": formats.field,
    "initials": initials,
    "iso": formats.iso,
    "labelled": cells.labelled,
    "local_day": formats.local_day,
    "moment": formats.moment,
    "money": formats.money,
    "money_value": formats.money_value,
    "number": formats.number,
    "percent": formats.percent,
    "relative": formats.relative,
    "sparkpath": formats.sparkpath,
    "svg_data": formats.svg_data,
    "with_query": addresses.with_query,
    "query_string": addresses.query_string,
    "without_query": addresses.without_query,
}


def create_environment(
    build_dir: Path = BUILD, *, package_dir: Path = PACKAGE, auto_reload: bool = False
) -> Environment:
    """The one Jinja environment: `layouts/…`, `components/…`, `gallery/…`, and `<domain or app>/…` from their templates folders."""
    environment = Environment(
        loader=_loader(package_dir),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=auto_reload,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
    )
    environment.install_gettext_callables(  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - added by jinja2.ext.i18n
        translations.gettext,
        translations.ngettext,
        newstyle=True,
        pgettext=translations.pgettext,
        npgettext=translations.npgettext,
    )
    assets = Assets(build_dir)
    page_globals: dict[str, Any] = environment.globals
    page_globals.update(
        asset=assets.url,
        inline_asset=assets.inline,
        has_asset=assets.has,
        icon=assets.icon,
        initials=initials,
        palette_commands=palette_commands,
        query_pairs=addresses.query_pairs,
        sparkpath=formats.sparkpath,
        ui=Components(environment),
        view_url=addresses.view_url,
        with_query=addresses.with_query,
        zone_offset=formats.zone_offset,
    )
    environment.filters.update(FILTERS)
    return environment


class Components:
    """Every public macro of `components/*.html`, as `ui.badge(...)`: no import in a template, also inside a block."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._homes: dict[str, str] = {}

    def __getattr__(self, name: str) -> Macro:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._homes:
            self._find()
        if name not in self._homes:
            raise AttributeError(f"There is no component {name!r} in ui/components.")
        return getattr(self._environment.get_template(self._homes[name]).module, name)

    def names(self) -> list[str]:
        """The names of all components."""
        self._find()
        return sorted(self._homes)

    def _find(self) -> None:
        for template in self._environment.list_templates(filter_func=lambda name: name.startswith("components/")):
            module = self._environment.get_template(template).module
            for name, value in vars(module).items():
                if isinstance(value, Macro) and not name.startswith("_"):
                    self._homes[name] = template


def render_page(
    environment: Environment,
    template: str,
    context: Mapping[str, Any],
    *,
    locale: str = "en-ZA",
    zone: str = DEFAULT_ZONE,
) -> str:
    """A whole page (or mail) in the reader's language and the venue's zone."""
    with reading_as(locale=locale, zone=zone):
        return environment.get_template(template).render(context)


def render_block(
    environment: Environment,
    template: str,
    block: str,
    context: Mapping[str, Any],
    *,
    locale: str = "en-ZA",
    zone: str = DEFAULT_ZONE,
) -> str:
    """One block of a page: the fragment that a live region or a form asks for."""
    with reading_as(locale=locale, zone=zone):
        loaded = environment.get_template(template)
        if block not in loaded.blocks:
            raise TemplateNotFound(f"{template}: no block {block!r}")
        return "".join(loaded.blocks[block](loaded.new_context(dict(context))))


def _loader(package_dir: Path) -> BaseLoader:
    ui = package_dir / "ui"
    folders: dict[str, list[Path]] = {name: [ui / name] for name in ("layouts", "components", "gallery")}
    for parent in ("runtime", "domains", "apps"):
        for templates in sorted((package_dir / parent).glob("*/templates")):
            folders.setdefault(templates.parent.name, []).append(templates)  # a domain and an app may share a name
    prefixed = PrefixLoader({name: FileSystemLoader(folder) for name, folder in folders.items()})
    return ChoiceLoader([prefixed, FileSystemLoader(ui / "layouts")])  # "problem.html" is one of the layouts

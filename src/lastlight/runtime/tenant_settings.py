"""Settings that a business decides for itself: declared with a type and a default, stored only where they differ."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.events import Event
from lastlight.kernel.ids import PLATFORM
from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input, get, put
from lastlight.runtime.http.decode import invalid
from lastlight.runtime.module import Module

T = TypeVar("T")

SETTINGS_READ = Permission("settings.read", "See the settings of the business", Scope.TENANT)
SETTINGS_MANAGE = Permission("settings.manage", "Change the settings of the business", Scope.TENANT)
PLATFORM_SETTINGS_MANAGE = Permission(
    "platform.settings.manage", "See and change the parameters of the platform on their page", Scope.PLATFORM
)
MOST_NUMBER = 2**53 - 1
"""The bound of a number that declares none: what every reader of JSON keeps exactly."""
KINDS: Mapping[type[Any], str] = {bool: "bool", int: "int", str: "text"}


class TenantSetting(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One setting: key, type, default, meaning and bounds. `platform` ones are parameters of the platform itself."""

    key: str
    type: type[T]
    default: T
    label: str
    description: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[tuple[str, str], ...] = ()
    """The values a text may take, with the words for them."""
    unit: str = ""
    """What a number counts, such as "minutes"."""
    platform: bool = False
    fits: Callable[[T], None] | None = None
    """Looks at what the bounds cannot say; raises ValueError with a sentence for who typed it."""

    @property
    def kind(self) -> str:
        """bool, int, text or choice."""
        return "choice" if self.choices else KINDS[self.type]

    def read(self, stored: Any) -> T:
        """A stored value; the default where there is none, or where it does not fit the declaration any more."""
        try:
            return self.default if stored is None else self.check(stored)
        except Invalid:
            return self.default

    def parse(self, text: str) -> T:
        """What a form's field says; Invalid at `value` when it is outside the bounds."""
        if self.type is bool:
            return self.check(text == "true")
        if self.type is int:
            try:
                return self.check(int(text))
            except ValueError as error:
                raise Invalid(fields={"value": "Give a whole number."}) from error
        return self.check(text)

    def check(self, value: Any) -> T:
        """The value as the declared type; Invalid at `value` when it is outside the bounds."""
        kind: Any = self.type
        if self.type is int:
            least = -MOST_NUMBER if self.minimum is None else self.minimum
            kind = Annotated[int, msgspec.Meta(ge=least, le=MOST_NUMBER if self.maximum is None else self.maximum)]
        elif self.type is str:
            kind = Annotated[str, msgspec.Meta(min_length=self.minimum, max_length=self.maximum or 2000)]
        try:
            checked: T = msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            sentence = next(iter(invalid(error).fields.values()), "This value does not fit.")
            raise Invalid(fields={"value": sentence}) from error
        if self.choices and checked not in {choice for choice, _ in self.choices}:
            raise Invalid(fields={"value": f"Choose one of {', '.join(choice for choice, _ in self.choices)}."})
        if self.fits is not None:
            try:
                self.fits(checked)
            except ValueError as error:
                raise Invalid(fields={"value": str(error)}) from error
        return checked


class SettingChanged(Event, frozen=True):
    """A setting of the business got another value."""

    event_name = "setting.changed"
    audience = SETTINGS_READ

    key: str
    value: bool | int | str


class SettingOut(msgspec.Struct, frozen=True, kw_only=True):
    """A setting with its value. `version` is 0 while the default holds."""

    key: str
    label: str
    description: str
    kind: str
    value: bool | int | str
    default: bool | int | str
    minimum: int | None
    maximum: int | None
    choices: tuple[tuple[str, str], ...]
    unit: str
    updated_at: datetime | None
    version: int


class SettingsOut(msgspec.Struct, frozen=True):
    """All settings, in the order of their keys."""

    items: list[SettingOut]


class SettingIn(Input, frozen=True):
    """The new value; null goes back to the default."""

    value: bool | int | str | None


class _Row(msgspec.Struct, frozen=True):
    value: Any
    updated_at: datetime
    version: int


ONE = "select value, updated_at, version from tenant_settings where tenant_id = $1 and key = $2"
ALL = "select key, value, updated_at, version from tenant_settings where tenant_id = $1"
STORE_FIRST = "insert into tenant_settings (tenant_id, key, value) values ($1, $2, $3) on conflict do nothing"
STORE = "update tenant_settings set value = coalesce($3::jsonb, 'null') where tenant_id = $1 and key = $2"
VALUE = "select value from tenant_settings where tenant_id = $1 and key = $2"


async def setting(ctx: Ctx, declared: TenantSetting[T]) -> T:
    """The value that holds for the transaction's tenant; for a platform parameter the platform's, from any tenant."""
    if declared.platform and ctx.tenant_id != PLATFORM:  # the policies show a tenant's transaction no other's rows
        return declared.read(await ctx.services.pools.system.fetchval(VALUE, PLATFORM, declared.key))
    return declared.read(await ctx.db.fetchval(VALUE, ctx.tenant_id, declared.key))


async def all_settings(ctx: Ctx) -> list[SettingOut]:
    """Every setting of the transaction's tenant, for its page and its list."""
    stored = {
        row["key"]: _Row(row["value"], row["updated_at"], row["version"])
        for row in await ctx.db.fetch(ALL, ctx.tenant_id)
    }
    declared = sorted(ctx.services.registry.settings.values(), key=lambda s: s.key)
    return [_shown(s, stored.get(s.key)) for s in declared if s.platform == (ctx.tenant_id == PLATFORM)]


async def change_setting(ctx: Ctx, *, key: str, value: bool | int | str | None, version: int) -> SettingOut:
    """Give a setting another value, or with None its default again; Stale when somebody changed it since `version`."""
    declared = ctx.services.registry.settings.get(key)
    if declared is None or declared.platform != (ctx.tenant_id == PLATFORM):
        raise NotFound
    before = await ctx.db.row(_Row, ONE + " for update", ctx.tenant_id, key)
    if version != (before.version if before else 0):
        raise Stale
    new = declared.default if value is None else declared.check(value)
    old = declared.read(before.value if before else None)
    if value is not None or before is not None:
        stored = None if value is None else new
        if not await ctx.db.execute(STORE if before else STORE_FIRST, ctx.tenant_id, key, stored):
            raise Stale  # somebody else was the first to store it
    if new != old:
        ctx.emit(SettingChanged(key=key, value=new), entity=("setting", key), before=old, after=new)
    return _shown(declared, await ctx.db.row(_Row, ONE, ctx.tenant_id, key))


def _shown(declared: TenantSetting[Any], row: _Row | None) -> SettingOut:
    return SettingOut(
        key=declared.key,
        label=declared.label,
        description=declared.description,
        kind=declared.kind,
        value=declared.read(row.value if row else None),
        default=declared.default,
        minimum=declared.minimum,
        maximum=declared.maximum,
        choices=declared.choices,
        unit=declared.unit,
        updated_at=row.updated_at if row else None,
        version=row.version if row else 0,
    )


@get("/api/settings", permission=SETTINGS_READ)
async def list_settings(ctx: Ctx) -> SettingsOut:
    """Read every setting of the business with its bounds; the crew reads the platform's own."""
    return SettingsOut(await all_settings(ctx))


@put("/api/settings/{key:str}", permission=SETTINGS_MANAGE, raises=[NotFound, Invalid, Stale])
async def update_setting(ctx: Ctx, key: str, data: SettingIn, if_match: int) -> SettingOut:
    """Change one setting; If-Match holds the version that was read, 0 while the default holds. Null goes back to the default."""
    return await change_setting(ctx, key=key, value=data.value, version=if_match)


MODULE = Module(
    name="settings",
    summary="What each business decides for itself, declared by the modules it concerns.",
    routes=[list_settings, update_setting],
    permissions=[SETTINGS_READ, SETTINGS_MANAGE, PLATFORM_SETTINGS_MANAGE],
    events=[SettingChanged],
)

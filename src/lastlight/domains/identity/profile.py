"""What people change about themselves: their name and their preferences."""

import zoneinfo
from typing import Any

import msgspec

from lastlight.domains.identity.events import UserPreferencesChanged, UserRenamed
from lastlight.domains.identity.names import clean_name
from lastlight.domains.identity.queries import preferences
from lastlight.domains.identity.schemas import PreferencesIn, PreferencesOut
from lastlight.domains.identity.session_ends import bump_sessions
from lastlight.kernel.errors import Invalid, NotSignedIn
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http.decode import invalid
from lastlight.ui.reader import known_locale


async def save_preferences(ctx: Ctx, *, data: PreferencesIn) -> PreferencesOut:
    """Replace one's own preferences; they show from the next request on. Raises Invalid for an unknown language or time zone."""
    if data.time_zone and data.time_zone not in zoneinfo.available_timezones():
        raise Invalid(fields={"time_zone": "Give an IANA time zone such as Africa/Johannesburg, or leave it empty."})
    if not known_locale(data.language):
        raise Invalid(fields={"language": "Give a language such as en, en-GB or pt-BR."})
    user_id = _own(ctx)
    before = await preferences(ctx)
    await ctx.db.execute(
        """insert into user_preferences (user_id, language, time_zone, theme, notifications) values ($1, $2, $3, $4, $5)
           on conflict (user_id) do update set language = excluded.language, time_zone = excluded.time_zone,
               theme = excluded.theme, notifications = excluded.notifications""",
        user_id,
        data.language,
        data.time_zone,
        data.theme,
        data.notifications,
    )
    await bump_sessions(ctx, user_id=user_id)
    after = await preferences(ctx)
    ctx.emit(UserPreferencesChanged(user_id=user_id), entity=("user", user_id), before=before, after=after)
    return after


async def change_preferences(ctx: Ctx, **changes: Any) -> PreferencesOut:
    """Change some of one's own preferences: `language`, `time_zone`, `theme`, `notifications`; the others stay."""
    now = await preferences(ctx)
    try:
        wanted = msgspec.convert({**msgspec.structs.asdict(now), **changes}, PreferencesIn)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
    return await save_preferences(ctx, data=wanted)


async def rename_self(ctx: Ctx, *, name: str) -> str:
    """Change one's own name, as a guest also the one that the business knows; the name. Raises Invalid when nothing is left of it."""
    user_id, new = _own(ctx), clean_name(name)
    before = await ctx.db.fetchval("select name from users where id = $1 for no key update", user_id)
    if new == before:
        return new
    if ctx.actor.patron_id is not None:
        await ctx.db.execute(
            "update patrons set name = $3 where tenant_id = $1 and id = $2", ctx.tenant_id, ctx.actor.patron_id, new
        )
    await ctx.db.execute("update users set name = $2 where id = $1", user_id, new)
    await bump_sessions(ctx, user_id=user_id)
    ctx.emit(UserRenamed(user_id=user_id), entity=("user", user_id), before={"name": before}, after={"name": new})
    return new


def _own(ctx: Ctx) -> UserId:
    if ctx.actor.user_id is None:
        raise NotSignedIn
    return ctx.actor.user_id

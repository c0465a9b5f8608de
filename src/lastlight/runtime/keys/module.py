"""Keys as a module: their state for the crew, sealing again after a rotation, and signing everybody out after a leak."""

from datetime import datetime
from typing import ClassVar

import msgspec

from lastlight.kernel.errors import Invalid
from lastlight.kernel.events import Event
from lastlight.kernel.ids import JobId
from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, post
from lastlight.runtime.jobs.declaration import job
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.keys.sealed import count_sealed, reseal_some
from lastlight.runtime.keys.sightings import SecretState, note_secrets, secret_states
from lastlight.runtime.module import Module

KEYS_MANAGE = Permission(
    "platform.keys.manage", "See the state of the platform's keys, and rotate them", Scope.PLATFORM
)
TAGS = ("Keys",)


class KeysResealed(Event, frozen=True, kw_only=True):
    """Secrets that lay under an earlier secret key lie under the current one."""

    event_name: ClassVar[str] = "keys.resealed"
    audience: ClassVar[Permission | None] = KEYS_MANAGE
    key_id: str
    count: int
    lost: int


class EverybodySignedOut(Event, frozen=True, kw_only=True):
    """Every session ended but that of who ended them: a key leaked."""

    event_name: ClassVar[str] = "keys.everybody_signed_out"
    audience: ClassVar[Permission | None] = KEYS_MANAGE
    count: int


class ResealAsked(Event, frozen=True, kw_only=True):
    """Somebody asked for secrets to be sealed again at once."""

    event_name: ClassVar[str] = "keys.reseal_asked"
    audience: ClassVar[Permission | None] = KEYS_MANAGE
    job_id: JobId


class KeyOut(msgspec.Struct, frozen=True, kw_only=True):
    """A secret key by its id, and what lies sealed under it."""

    key_id: str
    known: bool
    """Whether it is among the keys of this deployment: what lies under an unknown one cannot be opened."""
    current: bool
    sealed: dict[str, int]


class KeysOut(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the keys, without any key."""

    keys: list[KeyOut]
    secrets: list[SecretState]
    read_at: datetime


class QueuedOut(msgspec.Struct, frozen=True, kw_only=True):
    """The job that was queued."""

    job_id: JobId


async def read_state(ctx: Ctx) -> KeysOut:
    """Which keys there are, what lies under each, and since when each secret is as it is."""
    keeper = ctx.services.secrets
    known = list(keeper.verifying_keys("tokens"))
    sealed = await count_sealed(ctx, ctx.services.registry.sealed)
    ids = [*known, *sorted(set(sealed) - set(known))]
    keys = [
        KeyOut(key_id=one, known=one in known, current=one == keeper.key_id(), sealed=sealed.get(one, {}))
        for one in ids
    ]
    return KeysOut(keys=keys, secrets=await secret_states(ctx), read_at=ctx.now)


async def ask_to_reseal(ctx: Ctx) -> JobId:
    """Queue sealing again, once."""
    job_id = await ctx.enqueue(reseal, key="reseal")
    ctx.emit(ResealAsked(job_id=job_id), entity=("platform", "keys"))
    return job_id


async def sign_everybody_out(ctx: Ctx, *, reason: str) -> int:
    """End every session but one's own, everywhere; how many it was. Raises Invalid."""
    if len(reason.strip()) < 5:
        raise Invalid(fields={"reason": "Say why, in a few words; it stays on record."})
    count = await ctx.db.execute(
        """with standing as (select id from sessions where revoked_at is null and id is distinct from $1
                            order by id for no key update)
           update sessions s set revoked_at = now(), revoked_reason = $2, version = s.version + 1
           from standing where s.id = standing.id""",
        ctx.actor.session_id,
        f"everybody was signed out: {reason.strip()}"[:200],
    )
    ctx.emit(
        EverybodySignedOut(count=count), entity=("platform", "keys"), after={"ended": count}, reason=reason.strip()
    )
    return count


@get("/api/admin/keys", permission=KEYS_MANAGE, db="system", tags=TAGS)
async def read_keys(ctx: Ctx) -> KeysOut:
    """The state of the platform's keys, without any key."""
    return await read_state(ctx)


@post("/api/admin/keys/resealing", permission=KEYS_MANAGE, status=202, tags=TAGS)
async def reseal_secrets(ctx: Ctx) -> QueuedOut:
    """Seal again, under the current key, what lies under an earlier one."""
    return QueuedOut(job_id=await ask_to_reseal(ctx))


@job("keys.note", schedule="*/5 * * * *", each="platform")
async def note(ctx: Ctx) -> int:
    """Note since when each secret of the environment is as it is."""
    return await note_secrets(ctx)


@job("keys.reseal", schedule="17 * * * *", each="platform", timeout=1800)
async def reseal(job: JobRun) -> None:
    """Seal again, under the current secret key, whatever lies under an earlier one; a rotation is over when none is left."""
    done = lost = 0
    for one in job.services.registry.sealed:
        skip = 0
        while True:
            async with job.transaction(role="system") as ctx:
                some, broken = await reseal_some(ctx, one, skip=skip)
            if not some + broken:
                break
            done, lost, skip = done + some, lost + broken, skip + broken
            await job.progress(done, note=one.label)
    async with job.finish({"resealed": done, "lost": lost}, role="system") as ctx:
        if done or lost:
            event = KeysResealed(key_id=ctx.services.secrets.key_id(), count=done, lost=lost)
            ctx.emit(event, entity=("platform", "keys"), after={"resealed": done, "lost": lost})


MODULE = Module(
    name="keys",
    summary="The platform's keys: their state, sealing again after a rotation, signing everybody out after a leak.",
    routes=(read_keys, reseal_secrets),
    permissions=(KEYS_MANAGE,),
    events=(KeysResealed, EverybodySignedOut, ResealAsked),
    jobs=(note, reseal),
)

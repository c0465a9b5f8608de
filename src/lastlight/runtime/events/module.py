"""The stream's own operation."""

from lastlight.runtime.context import Ctx
from lastlight.runtime.events.catch_up import EventsOut, EventsQuery, read_events, wait_for_news
from lastlight.runtime.events.retention import KEEP_DAYS, EventsDropped, drop_old_events
from lastlight.runtime.http import get
from lastlight.runtime.module import Module


@get(
    "/api/events",
    signed_in="everybody hears what their permissions let them hear, a guest what is their own",
    tags=["events"],
    raises=[EventsDropped],
    prepare=wait_for_news,
)
async def read_event_stream(ctx: Ctx, query: EventsQuery) -> EventsOut:
    """Read what happened after a place in the tenant's stream.

    Without `after` it says where the stream stands. Ask again with `next` until it stops moving; with `wait` the answer is
    held back, up to that many seconds, until there is something to tell. Where sockets are blocked, this is the live feed.
    Events are kept for some months; asking from before is refused with the `next` to go on with.
    """
    return await read_events(ctx, after=query.after, limit=query.limit)


MODULE = Module(
    name="events",
    summary="The tenant's stream of events: what happened since, live by sockets or by polling.",
    routes=[read_event_stream],
    errors=[EventsDropped],
    jobs=[drop_old_events],
    settings=[KEEP_DAYS],
)

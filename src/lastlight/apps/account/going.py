"""Where a notice leads: the same place in whichever console its reader uses."""

import re

from lastlight.apps.catalogue import APPS, home_of
from lastlight.kernel.errors import NotFound
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Redirect, page
from lastlight.runtime.http.operation import PATH_PARAMETER, Operation

PATTERNS = {"uuid": r"[0-9a-fA-F-]{36}", "int": r"\d+", "str": r"[^/]+", "path": r".+"}


@page("/go/{place:path}", signed_in="It leads to a page that asks for its own permission.", raises=[NotFound])
async def go_page(ctx: Ctx, place: str) -> Redirect:
    """Open a place such as `tasks/…` in one's own console, or else in the first of the others that has it."""
    wanted = place.strip("/")
    home = home_of(ctx.actor)
    for app in (home, *(other for other in APPS if other is not home)):
        path = f"{app.prefix}/{wanted}"
        if any(_opens(ctx, op, path) for op in ctx.services.registry.operations):
            return Redirect(path)
    raise NotFound("None of your consoles has such a page.")


def _opens(ctx: Ctx, op: Operation, path: str) -> bool:
    if op.kind != "page" or op.method != "GET" or (op.permission and not ctx.allows(op.permission)):
        return False
    if op.for_crew and ctx.actor.kind != "crew":
        return False
    shape, last = "", 0
    for match in PATH_PARAMETER.finditer(op.path):
        shape += re.escape(op.path[last : match.start()]) + PATTERNS[match[2]]
        last = match.end()
    return re.fullmatch(shape + re.escape(op.path[last:]), path) is not None

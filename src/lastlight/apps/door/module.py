"""The door scanner: one shell, the same for every device, so that the service worker may keep it."""

from lastlight.domains.devices import DEVICES_READ
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo, View, page
from lastlight.runtime.module import Module, Nav

WHY = "The page holds nothing of anybody: a device proves itself by the key that it enrolled, also without a network."


@page("/staff/door", public=WHY)
async def door_page(ctx: Ctx, request: RequestInfo) -> View:
    """Open the door scanner."""
    theme = "light" if request.cookies.get("theme") == "light" else "dark"
    return View("door/shell.html", {"theme": theme}, headers={"Cache-Control": "no-cache"})


MODULE = Module(
    name="door_app",
    summary="The door scanner: reads guests' passes, decides without a network, keeps and sends its log.",
    pages=(door_page,),
    nav=(
        Nav(
            app="staff",
            label="Door scanner",
            href="/staff/door",
            icon="scan-qr-code",
            permission=DEVICES_READ,
            order=25,
        ),
    ),
)

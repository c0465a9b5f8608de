"""What the terminal shows when the platform is ready: addresses and sign-ins."""

import asyncio
import contextlib
import json
from dataclasses import replace
from typing import Any, cast

from lastlight.runtime.settings import Settings

_POLL_SECONDS = 0.15


async def wait_until_ready(settings: Settings) -> None:
    """Return once /ready answers 200."""
    while not await _ready(settings):  # noqa: ASYNC110 - no event crosses from the web process to this one
        await asyncio.sleep(_POLL_SECONDS)


async def _ready(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, settings.port)
            try:
                writer.write(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    return False


def demo_log(settings: Settings, *, terminal: bool) -> Settings:
    """The settings with a log file where the demo runs in a terminal: else its requests push the sign-ins off the screen."""
    if not settings.demo or settings.log_file or not terminal:
        return settings
    place = settings.var_dir / "log" / "lastlight.log"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("")  # of this run only, so that it does not grow for ever
    return replace(settings, log_file=str(place))


def welcome(settings: Settings) -> str:
    """Addresses and, in the demo, sign-ins as a table."""
    lines = [
        "",
        f"  Last Light is ready at {settings.base_url}",
        f"  Guests' app            {settings.base_url}/patron",
        f"  API documentation      {settings.base_url}/docs",
    ]
    if not settings.stripe_api_base:
        lines.append(f"  Payments are played at {settings.sandbox_url or settings.sandbox_address}")
    sign_ins = _sign_ins(settings)
    if sign_ins:
        lines += ["", f"  Sign in at {settings.base_url}/sign-in  (also in {settings.demo_file})", ""]
        rows = [tuple(str(s.get(k) or "") for k in ("role", "tenant", "email", "password")) for s in sign_ins]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    if settings.log_file:
        lines += ["", f"  Requests and jobs are logged in {settings.log_file}"]
    lines += ["", "  Ctrl-C stops it.", ""]
    return "\n".join(lines)


def _sign_ins(settings: Settings) -> list[dict[str, Any]]:
    if not settings.demo:
        return []
    try:
        demo = cast("dict[str, Any]", json.loads(settings.demo_file.read_text()))
    except (FileNotFoundError, ValueError):
        return []
    return demo.get("sign_ins", [])

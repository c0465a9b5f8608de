"""The platform of these tests is up, and its people can get to their screens."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("role", "path"), [("manager", "/manage"), ("owner", "/owner"), ("super_admin", "/platform")])
def test_everybody_gets_to_their_screen(
    live_server: LiveServer, console_of: Callable[..., Page], role: str, path: str
) -> None:
    page = console_of(live_server.person(role), path)
    assert page.locator("h1").count() == 1
    assert page.url.startswith(live_server.base_url + path)

"""The benchmark of first loads works, and it sees an app that has grown."""

import pytest

from benchmarks.first_load import APPS, figures, first_load, world
from lastlight.ui.render import BUILD

pytestmark = pytest.mark.browser
DOOR, GUESTS = (next(app for app in APPS if app.name == name) for name in ("door", "patron"))


def test_the_guests_app_and_the_door_are_within_their_bars_and_a_heavier_page_is_not() -> None:
    (charts,) = BUILD.glob("chunk-charts-*.js")  # what only the dashboards draw with
    heavier_by = f"addEventListener('load', () => fetch('/static/{charts.name}'))"
    with world() as (browser, server):
        size, requests = figures(DOOR, first_load(browser, server, DOOR))
        guests = figures(GUESTS, first_load(browser, server, GUESTS))
        heavier, more = figures(DOOR, first_load(browser, server, DOOR, extra=heavier_by))
    assert (size.verdict, requests.verdict) == ("reached", "reached")
    assert [figure.verdict for figure in guests] == ["reached", "reached"]
    assert size.told["requests"] == requests.value > 3
    assert {"document_kib", "script_kib", "font_kib"} <= size.told.keys()
    assert more.value == requests.value + 1
    assert heavier.verdict == "missed"

"""Every page of the registry, as everybody who may open it: it opens, fits a phone, keeps quiet, and axe finds nothing, dark and light."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page
from playwright.sync_api import TimeoutError as TooLate

from tests.support import safety_things, work_things
from tests.support.browser import DESK, scrolls_sideways, violations, watched_context
from tests.support.live_server import LiveServer, Person
from tests.support.page_tour import (
    ELSEWHERE,
    Tour,
    lead_of,
    lead_tour,
    page_operations,
    public_tour,
    real_things,
    tour_of,
)
from tests.support.tour_places import AT_FIRST_VENUE

pytestmark = pytest.mark.browser
NARROW = {"width": 360, "height": 780}
MAIN_ACTION = ".page-head .actions :is(a, button, summary).primary, #main .form-foot button.primary:not(:disabled)"
MOST_TABS = 90
TABS_AT_ONCE = 10
REMEMBER_REACHED = """selector => {
  window.reachedMainAction = false;
  addEventListener('focusin', event => { window.reachedMainAction ||= event.target.matches(selector); });
}"""
LOOKS = ((("dark", DESK), ("light", NARROW)), (("light", DESK), ("dark", NARROW)))
"""Each page is looked at in two of the four looks, the next page in the other two: colours and sizes do not depend on each other."""
SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
WIDE_LISTS = "() => [...document.querySelectorAll('.table.as-cards')].some(list => list.scrollWidth > list.parentElement.clientWidth)"
EXPLORER = "/docs"
GALLERY = "/gallery"
VENUE_BOUND = {**safety_things.ELSEWHERE, **work_things.ELSEWHERE}
"""What lies at one venue: who works at another does not see it."""
SHARES = {"owner": 4, "manager": 8, "staff": 4, "super_admin": 4}
"""Into so many tests the tour of a role is cut: each is short, and what fails is found soon."""


@pytest.fixture(scope="module")
def things(live_server: LiveServer) -> dict[str, str]:
    return real_things(live_server)


@pytest.fixture(scope="module")
def lead(live_server: LiveServer) -> Person:
    return lead_of(live_server)


def look_at(page: Page, path: str, *, turn: int) -> list[str]:
    """What is wrong with the page that is open: in one theme at a desk, in the other on a phone."""
    found: list[str] = []
    for theme, size in LOOKS[turn % 2]:
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        page.evaluate(
            "theme => { document.documentElement.dataset.theme = theme; dispatchEvent(new Event('ll:theme')); }", theme
        )
        page.evaluate(SETTLED)
        if scrolls_sideways(page):
            found.append(f"{path} scrolls sideways at {size['width']} px")
        if size is NARROW and page.evaluate(WIDE_LISTS):
            found.append(f"{path}: a list is wider than its card on a phone")
        found += [f"{path} {theme} {size['width']}: {said}" for said in violations(page)]
    return found


def reaches_main_action(page: Page, path: str) -> list[str]:
    """Whether the keyboard alone gets from the skip link to what the page is for."""
    page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    if path == GALLERY or page.locator(MAIN_ACTION).count() == 0 or page.locator(".skip").count() == 0:
        return []
    page.evaluate("document.activeElement?.blur()")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    page.evaluate(REMEMBER_REACHED, MAIN_ACTION)
    for _ in range(MOST_TABS // TABS_AT_ONCE):
        for _ in range(TABS_AT_ONCE):
            page.keyboard.press("Tab")
        if page.evaluate("window.reachedMainAction"):
            return []
    return [f"{path}: the keyboard does not get to the main action"]


def wrong_with(page: Page, path: str, *, turn: int) -> list[str]:
    """Everything that is wrong with one page."""
    answer = page.goto(path)
    if answer is None or answer.status != 200:
        return [f"{path} answers {answer.status if answer else 'nothing'}"]
    return look_at(page, path, turn=turn) + reaches_main_action(page, path)


def wrong_with_dialog(page: Page, path: str, *, turn: int) -> list[str]:
    """What is wrong with a dialog that is fetched over the page."""
    page.evaluate("path => window.htmx.ajax('GET', path, '#modal')", path)
    dialog = page.locator("#modal dialog[open]")
    try:
        dialog.wait_for()
    except TooLate:
        return [f"{path} opens no dialog"]
    found = look_at(page, path, turn=turn)
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    return found


def tour(browser: Browser, server: LiveServer, plan: Tour, person: Person | None = None) -> list[str]:
    """Go through a plan in one profile; a complaint on the console fails the test, too."""
    with watched_context(browser, base_url=server.base_url, reduced_motion="reduce") as context:
        if person is not None:
            body = {"email": person.email, "password": person.password}
            tenant = {"tenant": person.tenant, "as": "member"} if person.tenant else {}
            assert context.request.post("/api/auth/session", data=body | tenant).ok
        page = context.new_page()
        found = [said for turn, path in enumerate(plan.pages) for said in wrong_with(page, path, turn=turn)]
        for turn, path in enumerate(plan.dialogs):
            found += wrong_with_dialog(page, path, turn=turn)
        return found


def test_pages_before_signing_in(browser: Browser, live_server: LiveServer) -> None:
    assert tour(browser, live_server, public_tour()) == []


@pytest.mark.parametrize(
    ("role", "share"), [(role, share) for role, shares in SHARES.items() for share in range(shares)]
)
def test_pages_of_a_role(
    browser: Browser, live_server: LiveServer, things: dict[str, str], role: str, share: int
) -> None:
    person = live_server.person(role)
    whole = tour_of(live_server, person, things)
    plan = Tour(whole.pages[share :: SHARES[role]], whole.dialogs[share :: SHARES[role]])
    assert plan.pages
    assert tour(browser, live_server, plan, person) == []


def test_pages_of_a_lead_on_the_floor(
    browser: Browser, live_server: LiveServer, things: dict[str, str], lead: Person
) -> None:
    """A role of the business's own opens in the staff's app what built-in roles open elsewhere."""
    plan = lead_tour(live_server, lead, things)
    assert plan.pages
    assert plan.dialogs
    assert tour(browser, live_server, plan, lead) == []


@pytest.mark.parametrize("role", ["vendor_admin", "ops", "moderator", "finance"])
def test_pages_that_others_open_too(live_server: LiveServer, things: dict[str, str], role: str) -> None:
    """The same pages as above, with fewer permissions: each answers, none breaks."""
    person = live_server.person(role)
    scoped = things | {"venue_id": str(live_server.businesses["kojo-arcade"].venues["kojo-rosebank"])}
    plan = tour_of(live_server, person, scoped)
    client = live_server.client(person)
    answers = {path: client.get(path).status_code for path in plan.pages + plan.dialogs}
    client.close()
    # the tour's people work at every venue; places are at the first one, where a vendor admin works
    seen = {"venue_id", "member_id", "invitation_id"} | AT_FIRST_VENUE
    elsewhere = {things[name] for name in VENUE_BOUND.keys() - seen if name in things}
    mine = {path for path in answers if role != "vendor_admin" or not elsewhere & set(path.split("/"))}
    assert {path: status for path, status in answers.items() if path in mine and status != 200} == {}
    theirs = {path: answers[path] for path in answers.keys() - mine}
    assert {path: status for path, status in theirs.items() if status != 404} == {}, "another venue's are not there"


def test_the_console_says_where_one_is(live_server: LiveServer, things: dict[str, str]) -> None:
    """A page that lies elsewhere marks its place, the first page is marked for itself alone, and what is missing keeps the places."""
    client = live_server.client(live_server.person("manager"))
    pages = [
        client.get(path).text
        for path in (f"/manage/banners/{things['banner_id']}", "/manage", f"/manage/visits/{uuid4()}")
    ]
    client.close()
    marked = [re.findall('<a class="nav" href="([^"]+)" aria-current="page"', html) for html in pages]
    assert marked == [["/manage/venues"], ["/manage"], ["/manage/visits"]]


def test_the_explorer_needs_nobody_else(browser: Browser, live_server: LiveServer) -> None:
    """The API's pages come from this server alone, and keep to it."""
    with watched_context(browser, base_url=live_server.base_url) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(EXPLORER)
        bar = page.locator(".docs-top a").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().top)")
        assert max(bar) - min(bar) <= 1, "its title and its link stand on one line"
        assert violations(page) == []
        page.locator("summary", has_text="Drills").click()
        page.locator("li", has_text="/api/admin/drills").get_by_role("link").first.click()
        page.locator(".opblock.is-open").wait_for()
        assert page.locator(".opblock", has_text="/api/safety").count() == 0, "another area's are on their own page"
        assert [url for url in asked if not url.startswith((live_server.base_url, "data:", "blob:"))] == []
        assert violations(page) == []


def test_the_tour_leaves_no_page_out(live_server: LiveServer, things: dict[str, str], lead: Person) -> None:
    plans = [public_tour(), *(tour_of(live_server, live_server.person(role), things) for role in SHARES)]
    plans.append(lead_tour(live_server, lead, things))
    toured = {path.split("?")[0] for plan in plans for path in plan.pages + plan.dialogs}
    values = {value: name for name, value in things.items()}
    shapes = {"/".join("*" if part in values else part for part in path.split("/")) for path in toured}
    left_out = {
        op.path
        for op in page_operations()
        if op.path not in ELSEWHERE
        and "/".join("*" if part.startswith("{") else part for part in op.path.split("/")) not in shapes
    }
    assert left_out == set()

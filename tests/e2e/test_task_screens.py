"""Tasks in a browser: given and done between a desk and a phone, live; refused with what was typed; coming again."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE, toast
from tests.support.crew_of_work import as_somebody, hired
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
ON_PHONE: dict[str, Any] = {"viewport": PHONE, "has_touch": True}


def test_a_task_goes_from_the_desk_to_a_phone_and_back(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Tasks")
    who = hired(live_server, "Thuli Tasks", venues=[venue])
    phone = console_of(who.person, "/staff/tasks", **ON_PHONE)
    expect(phone.get_by_text("Nothing waits for you")).to_be_visible()
    desk = console_of(live_server.person("manager"), "/manage/tasks/new")
    desk.get_by_label("What is to be done").fill("Bring ice to bar 2")
    desk.get_by_label("Priority").select_option("urgent")
    desk.get_by_label("Venue").select_option(label="Kōjō Tasks")
    desk.get_by_label("Who does it").select_option(label="Thuli Tasks")
    desk.get_by_role("button", name="Create the task").click()
    toast(desk, "The task is written down.")
    mine = phone.locator(".work-card").filter(has_text="Bring ice to bar 2")
    expect(mine).to_contain_text("Urgent")
    phone.context.set_offline(True)
    mine.get_by_role("button", name="Start").click()
    toast(phone, "No connection. Check the network and try again.")
    phone.context.set_offline(False)
    mine.get_by_role("button", name="Start").click()
    toast(phone, "It is yours, and begun.")
    expect(desk.locator("#rail")).to_contain_text("In progress")
    phone.get_by_role("link", name="Bring ice to bar 2").click()
    phone.get_by_label("Say something").fill("Two bags are on the way")
    phone.get_by_role("button", name="Comment").click()
    expect(desk.locator(".work-talk")).to_contain_text("Two bags are on the way")
    phone.get_by_label("What came of it").fill("Four bags")
    phone.get_by_role("button", name="Done").click()
    toast(phone, "Done.")
    expect(desk.locator("#rail")).to_contain_text("Done")
    expect(desk.locator("#task")).to_contain_text("Four bags")
    rows = live_server.sql("select status, outcome, ended_by from tasks where title = 'Bring ice to bar 2'")
    assert [tuple(row) for row in rows] == [("done", "Four bags", who.id)]


def test_two_who_reach_for_one_task_are_told_apart(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Race")
    first, second = (hired(live_server, name, venues=[venue]) for name in ("Femi First", "Sara Second"))
    body = {"venue_id": str(venue), "title": "Wipe the machines"}
    task = as_somebody(live_server, live_server.person("manager"), "/api/tasks", body)
    page = console_of(second.person, f"/staff/tasks/{task['id']}", **ON_PHONE)
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    live_server.sql(  # past the events, so that the page does not hear of it before the click
        "update tasks set status = 'started', assignee_id = $2, assigned_at = now(), started_at = now(), started_by = $2 where id = $1",
        task["id"],
        first.id,
    )
    page.get_by_role("button", name="Start").click()
    toast(page, "Ask them or a manager to hand it over first.")
    rows = live_server.sql("select assignee_id, started_by from tasks where id = $1", task["id"])
    assert tuple(rows[0]) == (first.id, first.id)


def test_a_manager_gives_takes_and_cancels_on_the_board(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Board")
    who = hired(live_server, "Bheki Board", venues=[venue])
    boss = hired(live_server, "Mo Manager", role="owner")
    as_somebody(live_server, boss, "/api/tasks", {"venue_id": str(venue), "title": "Check the fire doors"})
    page = console_of(boss.person, "/manage/tasks")
    column = page.get_by_role("region", name="To do")
    column.get_by_label("Who does Check the fire doors").select_option(label="Bheki Board")
    toast(page, "Bheki Board is told.")
    column.get_by_role("link", name="Check the fire doors").click()
    page.get_by_role("button", name="Cancel the task").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel the task").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("The house is closed")
    dialog.get_by_role("button", name="Cancel the task").click()
    toast(page, "The task is cancelled.")
    expect(page.locator("#rail .audit")).to_contain_text("cancelled")
    page.goto("/manage/tasks/list?status=cancelled")
    expect(page.get_by_role("link", name="Check the fire doors")).to_be_visible()
    rows = live_server.sql("select status, outcome, assignee_id from tasks where title = 'Check the fire doors'")
    assert [tuple(row) for row in rows] == [("cancelled", "The house is closed", who.id)]


def test_a_change_that_came_too_late_is_told_and_its_words_stay(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Late")
    manager = live_server.person("manager")
    task = as_somebody(live_server, manager, "/api/tasks", {"venue_id": str(venue), "title": "Fix lamp 7"})
    page = console_of(manager, f"/manage/tasks/{task['id']}?tab=change")
    page.get_by_label("What is to be done").fill("Fix lamps 7 and 8")
    page.get_by_label("Due").fill("2031-03-24T20:00")
    live_server.sql("update tasks set priority = 'high' where id = $1", task["id"])
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="changed")).to_be_visible()
    expect(page.get_by_label("What is to be done")).to_have_value("Fix lamps 7 and 8")
    page.goto(f"/manage/tasks/{task['id']}?tab=change")
    page.get_by_label("Due").fill("2031-03-24T20:00")
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved.")
    rows = live_server.sql("select due_at from tasks where id = $1", task["id"])
    assert rows[0]["due_at"].isoformat() == "2031-03-24T18:00:00+00:00"


def test_a_task_that_comes_again_is_planned_changed_and_ended(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Again")
    boss = hired(live_server, "Aya Again", role="manager", venues=[venue])
    page = console_of(boss.person, "/manage/tasks/recurring")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    page.get_by_role("link", name="Plan one").click()
    page.get_by_label("What is to be done").fill("Count the glasses")
    page.get_by_label("On the weekdays you tick").check()
    page.get_by_role("button", name="Plan it").click()
    expect(page.get_by_text("Name the weekdays", exact=False)).to_be_visible()
    expect(page.get_by_label("What is to be done")).to_have_value("Count the glasses")
    page.get_by_label("Friday").check()
    page.get_by_label("Due at").fill("23:30")
    page.get_by_role("button", name="Plan it").click()
    toast(page, "Planned.")
    expect(page.get_by_label("Friday")).to_be_checked()
    rows = live_server.sql("select every, weekdays, due_minute from task_recurrences where venue_id = $1", venue)
    assert [(row["every"], row["weekdays"], row["due_minute"]) for row in rows] == [("week", [5], 1410)]
    page.get_by_label("Every day").check()
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved.")
    page.get_by_role("button", name="End it").click()
    page.get_by_role("dialog").get_by_role("button", name="End it").click()
    toast(page, "It no longer repeats.")
    expect(page.get_by_role("row").filter(has_text="Count the glasses")).to_contain_text("Ended")


def test_a_vendor_admin_sees_the_tasks_of_their_venue_alone(live_server: LiveServer, console_of: Console) -> None:
    here, there = live_server.new_venue("Kōjō Here"), live_server.new_venue("Kōjō There")
    vendor = hired(live_server, "Vusi Vendor", role="vendor_admin", venues=[here])
    owner = live_server.person("owner")
    for venue, title in ((here, "Polish the bar"), (there, "Polish the roof")):
        as_somebody(live_server, owner, "/api/tasks", {"venue_id": str(venue), "title": title})
    page = console_of(vendor.person, "/manage/tasks")
    expect(page.get_by_role("link", name="Polish the bar")).to_be_visible()
    expect(page.get_by_role("link", name="Polish the roof")).to_have_count(0)
    page.goto("/manage/schedule")
    expect(page.get_by_text("Kōjō Here").first).to_be_visible()
    expect(page.get_by_text("Kōjō There")).to_have_count(0)


def test_an_alert_on_the_floor_becomes_a_task_by_itself(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Alarm")
    who = hired(live_server, "Alma Alarm", venues=[venue])
    page = console_of(who.person, "/staff/tasks", **ON_PHONE)
    body = {"venue_id": str(venue), "summary": "Loud at the bar", "severity": "high"}
    alert = as_somebody(live_server, live_server.person("manager"), "/api/safety/alerts", body)
    task = page.locator(".work-card").filter(has_text="See to what a colleague has noticed")
    expect(task).to_be_visible()
    expect(task).to_contain_text("Safety")
    task.get_by_role("link", name="See to what a colleague has noticed").click()
    page.get_by_role("link", name="Open the alert").click()
    expect(page.get_by_text("Loud at the bar").first).to_be_visible()
    page.goto("/staff/tasks")
    path = f"/api/safety/alerts/{alert['id']}/clearance"
    as_somebody(live_server, live_server.person("manager"), path, {"reason": "Calm again"})
    expect(page.get_by_role("region", name="Free to take").locator(".work-card")).to_have_count(0)

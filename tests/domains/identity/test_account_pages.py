"""The pages around one's own account, for a member, a guest and one of the crew: each of them does what its operation does."""

import pytest

from lastlight.kernel.ids import PLATFORM
from tests.support.people import PASSWORD, People, visitor

WHO = ("manager@bar.example", "patron@bar.example", "ops@crew.example")
NEW = "a fine long night"


@pytest.mark.parametrize("email", WHO)
async def test_everybody_finds_and_keeps_their_account(world: People, email: str) -> None:
    async with visitor(world.app) as browser:
        signed_in = await browser.post("/sign-in", data={"email": email, "password": PASSWORD})
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/")
        for path in ("/account", "/account/security", "/account?tab=sessions"):
            assert (await browser.get(path)).status_code == 200, path
        saved = await browser.post("/account/preferences", data={"name": "New Name", "theme": "light"})
        assert saved.status_code == 303
        me = (await browser.get("/api/me")).json()
        assert (me["name"], me["preferences"]["theme"]) == ("New Name", "light")


async def test_a_language_nobody_writes_is_refused_and_the_form_comes_back(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    async with visitor(world.app) as browser:
        await browser.post("/sign-in", data={"email": somebody.email, "password": PASSWORD})
        for wrong in ("qq", "Klingon!"):
            form = {"name": "Kept Name", "theme": "light", "language": wrong}
            answer = await browser.post("/account/preferences", data=form)
            assert answer.status_code == 422
            assert "Kept Name" in answer.text
        british = {"name": "Kept Name", "theme": "light", "language": "en-GB"}
        assert (await browser.post("/account/preferences", data=british)).status_code == 303
        assert '<html lang="en-GB"' in (await browser.get("/account")).text


@pytest.mark.parametrize("end", ["update sessions set version = version + 1", "update sessions set revoked_at = now()"])
async def test_a_form_that_is_refused_comes_back_also_when_the_session_has_changed_meanwhile(
    world: People, end: str
) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    async with visitor(world.app) as browser:
        await browser.post("/sign-in", data={"email": somebody.email, "password": PASSWORD})
        # what they may do is remembered from now on; the NUL is refused before it is read anew
        await browser.get("/account")
        await world.sql(f"{end} where user_id = $1", somebody.user_id)
        answer = await browser.post("/account/preferences", data={"name": "\x00", "theme": "light"})
        if "revoked" in end:
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        else:
            assert (answer.status_code, "This holds a NUL character" in answer.text) == (422, True)


@pytest.mark.parametrize("email", WHO)
async def test_everybody_changes_their_password(world: People, email: str) -> None:
    async with visitor(world.app) as browser:
        await browser.post("/sign-in", data={"email": email, "password": PASSWORD})
        wrong = await browser.post("/account/password", data={"current_password": "no such", "new_password": NEW})
        assert wrong.status_code == 422
        assert "This is not your password." in wrong.text
        for old, new in ((PASSWORD, NEW), (NEW, PASSWORD)):
            changed = await browser.post("/account/password", data={"current_password": old, "new_password": new})
            assert changed.status_code == 303
        assert (await browser.get("/api/me")).status_code == 200


@pytest.mark.parametrize("like", ["manager", "guest", "crew"])
async def test_everybody_changes_their_address(world: People, like: str) -> None:
    place = PLATFORM if like == "crew" else world.bar
    somebody = await world.newcomer(place, role={"manager": "manager", "crew": "ops"}.get(like, ""), verified=False)
    async with visitor(world.app) as browser:
        await browser.post("/sign-in", data={"email": somebody.email, "password": PASSWORD})
        tab = (await browser.get("/account/security")).text
        assert "/account/email/link" in tab
        assert (await browser.post("/account/email/link")).status_code == 303
        assert [mail["subject"] for mail in await world.mails(somebody.email)] == ["Confirm your e-mail address"]
        new = f"new.{somebody.email}"
        wrong = await browser.post("/account/email", data={"new_email": new, "password": "no such"})
        assert (wrong.status_code, "This is not your password." in wrong.text) == (422, True)
        asked = await browser.post("/account/email", data={"new_email": new, "password": PASSWORD})
        assert (asked.status_code, asked.headers["location"]) == (303, "/account/security")
        await browser.post("/verify", data={"token": await world.link(new)})
        me = (await browser.get("/api/me")).json()
        assert (me["email"], me["email_verified"]) == (new, True)


@pytest.mark.parametrize("email", WHO)
async def test_links_work_also_for_who_is_signed_in(world: People, email: str) -> None:
    await world.sql("update users set email_verified_at = null where email = $1", email)
    async with visitor(world.app) as browser:
        await browser.post("/sign-in", data={"email": email, "password": PASSWORD})
        await browser.post("/api/auth/verify-email/link")
        proven = await browser.post("/verify", data={"token": await world.link(email)})
        assert (proven.status_code, "Your address is confirmed." in proven.text) == (200, True)
        assert (await browser.post("/verify", data={"token": "llo_none"})).status_code == 410
        assert (await browser.post("/forgot", data={"email": email})).status_code == 200
        reset = await browser.post("/reset", data={"token": await world.link(email), "password": PASSWORD})
        assert (reset.status_code, reset.headers["location"]) == (303, "/sign-in")
        assert (await browser.get("/api/me")).status_code == 401


@pytest.mark.parametrize("email", WHO)
async def test_signing_out_everywhere_and_here(world: People, email: str) -> None:
    async with visitor(world.app) as first, visitor(world.app) as second:
        for browser in (first, second):
            await browser.post("/sign-in", data={"email": email, "password": PASSWORD})
        assert (await first.post("/account/sign-out-others")).headers["location"] == "/account?tab=sessions"
        assert [(await browser.get("/api/me")).status_code for browser in (first, second)] == [200, 401]
        await second.post("/sign-in", data={"email": email, "password": PASSWORD})
        assert (await first.post("/account/sign-out-everywhere")).headers["location"] == "/sign-in"
        assert (await second.get("/api/me")).status_code == 401
        await second.post("/sign-in", data={"email": email, "password": PASSWORD})
        assert (await second.post("/sign-out")).headers["location"] == "/sign-in"
        assert "ll_session" not in second.cookies


async def test_a_link_that_a_mail_scanner_follows_is_not_spent(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    await world.call("POST", "/api/auth/password/forgot", status=202, json={"email": somebody.email})
    token = await world.link(somebody.email)
    async with visitor(world.app) as scanner:
        for _ in range(2):
            assert (await scanner.get("/reset", params={"token": token})).status_code == 200
            assert (await scanner.get("/verify", params={"token": token})).status_code == 200
    await world.call("POST", "/api/auth/password/reset", status=204, json={"token": token, "password": NEW})


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_leads_to_no_other_site(world: People, target: str) -> None:
    async with visitor(world.app) as browser:
        form = {"email": world.bar.email("staff"), "password": PASSWORD, "next": target}
        assert (await browser.post("/sign-in", data=form)).headers["location"] == "/"


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("/venues/k\u014dj\u014d", "/venues/k%C5%8Dj%C5%8D"),
        ("/a\u2028b", "/a%E2%80%A8b"),
        ("/a\x0bb\x7f", "/a%0Bb%7F"),
        ("/a?b=c%20d&e=[f]#g", "/a?b=c%20d&e=[f]#g"),
    ],
)
async def test_any_place_to_go_to_fits_into_a_header(world: People, target: str, address: str) -> None:
    async with visitor(world.app) as browser:
        form = {"email": WHO[0], "password": PASSWORD, "next": target}
        answer = await browser.post("/sign-in", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, address)
        again = await browser.get("/sign-in", params={"next": target})
        assert (again.status_code, again.headers["location"]) == (303, address)


async def test_a_refused_sign_in_keeps_the_address_and_not_the_password(world: People) -> None:
    async with visitor(world.app) as browser:
        form = {"email": world.bar.email("staff"), "password": "wrong password here"}
        refused = await browser.post("/sign-in", data=form)
        assert refused.status_code == 401
        assert world.bar.email("staff") in refused.text
        assert "wrong password here" not in refused.text

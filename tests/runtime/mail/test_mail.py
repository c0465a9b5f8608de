"""Mail: through a real SMTP server, with retries and refusals; kept where there is none; no header smuggled in."""

import asyncio
import dataclasses
import email
import email.policy
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller

from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import MailId, TenantId
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import Retry
from lastlight.runtime.jobs.module import MODULE as JOBS
from lastlight.runtime.jobs.worker import run_jobs
from lastlight.runtime.mail import send_mail
from lastlight.runtime.mail.deliver import DELIVER
from lastlight.runtime.mail.module import MODULE as MAIL
from lastlight.runtime.mail.plain import plain_text
from lastlight.runtime.mail.send import checked_address
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.runtime.jobs.test_jobs import eventually
from tests.support.programs import unused_port
from tests.support.services import administer, make_tenant, opened_services

pytestmark = pytest.mark.database
CONTEXT: dict[str, Any] = {
    "subject": "Welcome to Neon & Náufrago",
    "paragraphs": ["You are on the list.", "<b>Bring</b> a friend."],
    "button": {"label": "Open", "url": "https://example.org/open?a=1&b=2"},
}


class Postbox:
    """A mail server that keeps what it takes, and answers as it is told."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.taken: list[EmailMessage] = []
        self.attempts = 0

    async def handle_DATA(  # noqa: N802 - the server's name for it
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.attempts += 1
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            message["X-Recipients"] = ",".join(envelope.rcpt_tos)
            self.taken.append(message)
        return answer


@asynccontextmanager
async def delivering(settings: Settings, postbox: Postbox) -> AsyncGenerator[Services]:
    """Services whose mail goes to the postbox, and a worker that sends it."""
    port = unused_port()
    controller = Controller(postbox, hostname="127.0.0.1", port=port, ready_timeout=60)
    await asyncio.to_thread(controller.start)
    with_server = dataclasses.replace(settings, smtp_url=f"smtp://127.0.0.1:{port}")
    try:
        async with opened_services(with_server, [JOBS, MAIL]) as services:
            stop = asyncio.Event()
            task = asyncio.create_task(run_jobs(services, stop, stale=timedelta(seconds=6)))
            try:
                yield services
            finally:
                stop.set()
                await task
    finally:
        await asyncio.to_thread(controller.stop)


@pytest.fixture
async def tenant(database_settings: Settings) -> TenantId:
    return await make_tenant(database_settings, f"t-{uuid4().hex[:12]}")


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(retry: Retry, attempt: int) -> timedelta:
        return timedelta(milliseconds=50)

    monkeypatch.setattr(Retry, "wait", at_once)


async def write(services: Services, tenant: TenantId, to: str = "guest@example.org") -> MailId:
    async with system_ctx(services, tenant) as ctx:
        return await send_mail(ctx, to=to, template="mail/message.html", context=CONTEXT)


async def state_of(settings: Settings, mail_id: MailId, *states: str) -> Any:
    async def look() -> Any:
        rows = await administer(settings, "select * from outgoing_mail where id = $1", mail_id)
        return rows[0] if rows[0]["state"] in states else None

    return await eventually(look)


async def test_arrives_once_with_both_bodies_and_honest_headers(database_settings: Settings, tenant: TenantId) -> None:
    postbox = Postbox()
    async with delivering(database_settings, postbox) as services:
        mail_id = await write(services, tenant)
        sent = await state_of(database_settings, mail_id, "sent")
    assert (sent["attempts"], sent["error"]) == (1, "")
    (message,) = postbox.taken
    assert message["Subject"] == CONTEXT["subject"]
    assert message["X-Recipients"] == message["To"] == "guest@example.org"
    assert message["From"] == "Last Light <no-reply@lastlight.example>"
    assert message["Message-ID"] == f"<{mail_id}@127.0.0.1>"
    text, page = [part.get_content() for part in message.iter_parts() if isinstance(part, EmailMessage)]
    assert "Open: https://example.org/open?a=1&b=2" in text
    assert "<b>Bring</b> a friend." in text, "the text shows what was written"
    assert "&lt;b&gt;Bring&lt;/b&gt; a friend." in page, "the page does not run it"


async def test_what_is_sent_keeps_no_working_link(database_settings: Settings, tenant: TenantId) -> None:
    """The database, its backups and its readers hold no secret that still opens an account."""
    token, postbox = f"llo_{'a-_B9' * 8}", Postbox()
    button = {"label": "Set a new password", "url": f"https://example.org/reset?token={token}"}
    async with delivering(database_settings, postbox) as services:
        async with system_ctx(services, tenant) as ctx:
            shown = {**CONTEXT, "button": button}
            mail_id = await send_mail(ctx, to="guest@example.org", template="mail/message.html", context=shown)
        sent = await state_of(database_settings, mail_id, "sent")
    (message,) = postbox.taken
    parts = [part.get_content() for part in message.iter_parts() if isinstance(part, EmailMessage)]
    assert all(token in part for part in parts)
    for body in (sent["body_text"], sent["body_html"]):
        assert token not in body
        assert "https://example.org/reset?token=llo_\N{HORIZONTAL ELLIPSIS}" in body


async def test_is_tried_again_after_a_temporary_refusal_under_one_message_id(
    database_settings: Settings, tenant: TenantId
) -> None:
    postbox = Postbox("451 try later", "250 OK but the line is lost")
    async with delivering(database_settings, postbox) as services:
        sent = await state_of(database_settings, await write(services, tenant), "sent")
    assert (sent["attempts"], postbox.attempts, len(postbox.taken)) == (2, 2, 1)


async def test_a_lasting_refusal_is_given_up_and_can_be_repeated_by_hand(
    database_settings: Settings, tenant: TenantId
) -> None:
    postbox = Postbox("550 no such mailbox")
    async with delivering(database_settings, postbox) as services:
        mail_id = await write(services, tenant)
        failed = await state_of(database_settings, mail_id, "failed")
        assert "550" in failed["error"]
        jobs = "select state from jobs where tenant_id = $1 and kind = 'mail.deliver'"

        async def ended() -> bool:
            return [r["state"] for r in await administer(database_settings, jobs, tenant)] == ["failed"]

        await eventually(ended)
        async with system_ctx(services, tenant) as ctx:
            job_id = await ctx.db.fetchval("select id from jobs where tenant_id = $1", tenant)
            from lastlight.runtime.jobs.actions import requeue  # noqa: PLC0415 - what the retry button calls

            await requeue(ctx, job_id=job_id)
        await state_of(database_settings, mail_id, "sent")
    assert len(postbox.taken) == 1


async def test_a_server_that_stays_away_ends_in_the_dead_letters(database_settings: Settings, tenant: TenantId) -> None:
    dead_end = dataclasses.replace(database_settings, smtp_url="smtp://127.0.0.1:1")
    async with opened_services(dead_end, [JOBS, MAIL]) as services:
        stop = asyncio.Event()
        task = asyncio.create_task(run_jobs(services, stop, stale=timedelta(seconds=6)))
        mail_id = await write(services, tenant)
        failed = await state_of(database_settings, mail_id, "failed")
        stop.set()
        await task
    assert failed["attempts"] == DELIVER.retry.attempts
    rows = await administer(database_settings, "select state from jobs where tenant_id = $1", tenant)
    assert [r["state"] for r in rows] == ["dead"]


async def test_without_a_server_it_is_kept(database_settings: Settings, tenant: TenantId) -> None:
    async with opened_services(database_settings, [JOBS, MAIL]) as services:
        mail_id = await write(services, tenant)
    rows = await administer(database_settings, "select state, body_text from outgoing_mail where id = $1", mail_id)
    assert rows[0]["state"] == "kept"
    assert "You are on the list." in rows[0]["body_text"]
    assert await administer(database_settings, "select 1 from jobs where tenant_id = $1", tenant) == []


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org\r\nBcc: thief@example.org",
        "a@example.org\nBcc: thief@example.org",
        "a@example.org, b@example.org",
        "a@example.org;b@example.org",
        "<a@example.org>",
        "Eve <a@example.org>",
        " a@example.org",
        "a@example.org\x00",
        "a b@example.org",
        "a@-example.org",
        "a@b..org",
        "@example.org",
        "a@",
        "plain",
        "",
        "a@" + "x" * 300,
    ],
)
def test_addresses_that_are_not_one_address_are_refused(address: str) -> None:
    with pytest.raises(Invalid):
        checked_address(address)


async def test_a_subject_cannot_carry_headers(database_settings: Settings, tenant: TenantId) -> None:
    smuggled = CONTEXT | {"subject": "Hello\r\nBcc: thief@example.org"}
    postbox = Postbox()
    async with delivering(database_settings, postbox) as services:
        async with system_ctx(services, tenant) as ctx:
            mail_id = await send_mail(ctx, to="a@example.org", template="mail/message.html", context=smuggled)
        await state_of(database_settings, mail_id, "sent")
    (message,) = postbox.taken
    assert message["Subject"] == "Hello Bcc: thief@example.org"
    assert message["Bcc"] is None
    assert message["X-Recipients"] == "a@example.org"


def test_plain_text_keeps_paragraphs_lists_and_links() -> None:
    page = "<head><title>x</title></head><h1>Hi</h1><p>One &amp; <b>two</b></p><ul><li>a</li><li>b</li></ul><a href='https://x.org'>https://x.org</a><style>p{}</style>"
    assert plain_text(page) == "Hi\n\nOne & two\n\n- a\n- b\nhttps://x.org\n"

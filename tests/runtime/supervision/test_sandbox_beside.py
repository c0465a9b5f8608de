"""The sandbox under the supervisor: it is there, it comes back, it knows where the platform is told of payments, once."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from lastlight.runtime import sandbox_port
from lastlight.runtime.processor import WEBHOOK_EVENTS, configured, verified_event
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision import claims
from lastlight.runtime.supervision.children import child_environment
from lastlight.runtime.supervision.sandbox import claimed_sandbox, port_of, running_sandbox
from lastlight.sandbox.events import EVENTS
from tests.support.programs import environment, unused_port

pytestmark = pytest.mark.processes


class Beside:
    """A sandbox that is kept running."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.settings = settings
        self.base = f"http://127.0.0.1:{port}"
        self.key = configured(settings).secret_key

    async def ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """One call with our key; it waits while the sandbox is started again."""
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            answer = await http.request(
                method, self.base + path, headers={"authorization": f"Bearer {self.key}"}, **more
            )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def process(self) -> psutil.Process:
        """Its process; other tests may keep sandboxes, too."""
        ours = str(self.settings.port)
        mine = [child for child in psutil.Process().children() if "sandbox" in child.cmdline()]
        [found] = [child for child in mine if child.environ().get("LASTLIGHT_PORT") == ours]
        return found


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncGenerator[Beside]:
    """A sandbox under supervision, on a port that was free."""
    settings = Settings.load({}, var_dir=tmp_path, port=unused_port())
    with claimed_sandbox(settings) as listener:
        env = environment(LASTLIGHT_PORT=str(settings.port), **port_of(listener))
        refusals: list[str] = []
        async with running_sandbox(
            listener, child_environment(env, tmp_path), on_refusal=lambda: refusals.append("refused")
        ):
            assert listener is not None
            yield Beside(settings, listener.getsockname()[1])
        assert refusals == []


async def test_it_registers_the_platform_once_and_comes_back_after_a_kill(beside: Beside) -> None:
    assert await beside.ask("GET", "/_sandbox/health") == {"status": "ok"}
    [endpoint] = (await beside.ask("GET", "/v1/webhook_endpoints"))["data"]
    assert endpoint["url"] == f"http://127.0.0.1:{beside.settings.port}/webhooks/stripe"
    assert endpoint["status"] == "enabled"
    assert set(endpoint["enabled_events"]) == set(WEBHOOK_EVENTS) & set(EVENTS)
    assert len(endpoint["enabled_events"]) >= 20
    before = beside.process()
    made = await beside.ask("POST", "/v1/payment_intents", data={"amount": "100", "currency": "zar"})
    os.kill(before.pid, signal.SIGKILL)
    assert (await beside.ask("GET", f"/v1/payment_intents/{made['id']}"))["amount"] == 100, (
        "the caller waited, nothing is lost"
    )
    assert beside.process().pid != before.pid
    assert (await beside.ask("GET", "/v1/webhook_endpoints"))["data"] == [endpoint]
    await beside.ask("POST", "/_sandbox/reset")
    assert len((await beside.ask("GET", "/v1/webhook_endpoints"))["data"]) == 1, "also in an account that was forgotten"


async def test_what_it_tells_the_platform_is_signed_with_the_secret_that_the_platform_expects(beside: Beside) -> None:
    told: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        await told.put((await reader.readexactly(int(headers["content-length"])), headers["stripe-signature"]))
        assert head.startswith("POST /webhooks/stripe ")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", beside.settings.port):
        wish = {"amount": "100", "currency": "zar", "payment_method": "pm_card_visa", "confirm": "true"}
        made = await beside.ask("POST", "/v1/payment_intents", data=wish)
        body, signature = await asyncio.wait_for(told.get(), 30)
    now = int(signature.partition("t=")[2].partition(",")[0])
    event = verified_event(body, signature, now=now, secrets=configured(beside.settings).webhook_secrets)
    assert (event.type, event.data["payment_intent"]) == ("charge.succeeded", made["id"])


async def test_a_page_key_opens_the_account_and_does_not_tell_its_secret(beside: Beside) -> None:
    made = await beside.ask("POST", "/v1/payment_intents", data={"amount": "100", "currency": "zar"})
    page = configured(beside.settings).publishable_key
    async with httpx.AsyncClient(trust_env=False, base_url=beside.base) as http:
        path = f"/v1/payment_intents/{made['id']}"
        seen = await http.get(
            path, params={"client_secret": made["client_secret"]}, headers={"authorization": f"Bearer {page}"}
        )
        assert seen.json()["id"] == made["id"]
        guessed = await http.get(path, headers={"authorization": f"Bearer {page.replace('pk_', 'sk_')}"})
        assert guessed.status_code == 404


async def test_a_second_sandbox_on_the_folder_is_refused(beside: Beside) -> None:
    await beside.ask("GET", "/_sandbox/health")
    env = environment(LASTLIGHT_VAR_DIR=str(beside.settings.var_dir))
    command = [sys.executable, "-m", "lastlight", "sandbox", "--port", str(unused_port())]
    second = await asyncio.to_thread(subprocess.run, command, env=env, capture_output=True, text=True, timeout=60)
    assert (second.returncode, second.stdout) == (78, "")
    assert second.stderr == (
        f"lastlight: A sandbox already runs from {beside.settings.var_dir} (process {beside.process().pid}): "
        "stop it first, or set LASTLIGHT_VAR_DIR.\n"
    )


async def test_one_that_is_refused_is_told(tmp_path: Path) -> None:
    (tmp_path / "sandbox").write_text("in the way of the folder")
    told = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        env = child_environment(environment(), tmp_path)
        async with running_sandbox(listener, env, on_refusal=told.set):
            await asyncio.wait_for(told.wait(), 60)


def test_a_port_that_nobody_chose_is_found_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "USUAL_PORT", usual := unused_port())
    monkeypatch.setattr(claims, "_PATIENCE_SECONDS", 0.2)
    mine, theirs = (Settings.load({}, var_dir=tmp_path / name) for name in ("mine", "theirs"))
    with claims.claimed_sandbox_port(mine) as first, claims.claimed_sandbox_port(theirs) as second:
        assert first.getsockname()[1] == usual
        other = second.getsockname()[1]
        assert other != usual
        assert sandbox_port.kept_port(theirs.var_dir) == other
        assert theirs.sandbox_address == f"http://127.0.0.1:{other}"
    with claims.claimed_sandbox_port(theirs) as again:
        assert again.getsockname()[1] == other, "also when the usual one is free by now"
    with socket.create_server(("127.0.0.1", other)), claims.claimed_sandbox_port(theirs) as moved:
        assert moved.getsockname()[1] == usual


def test_a_port_that_was_chosen_and_is_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        chosen = Settings.load({}, var_dir=tmp_path, sandbox_port=taken)
        with pytest.raises(StartError) as refusal, claims.claimed_sandbox_port(chosen):
            pass
    assert str(refusal.value) == (
        f"LASTLIGHT_SANDBOX_PORT: port {taken} on 127.0.0.1 is taken by another program: "
        "stop that program, or choose another port, as in `LASTLIGHT_SANDBOX_PORT=8421 make run`."
    )


def test_payments_that_go_elsewhere_need_no_sandbox(tmp_path: Path) -> None:
    with claimed_sandbox(Settings.load({}, var_dir=tmp_path, stripe_api_base="http://127.0.0.1:9")) as listener:
        assert listener is None
        assert port_of(listener) == {}

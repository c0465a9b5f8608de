"""A sandbox as a process of its own, and the official SDK pointed at it; or at Stripe's test mode, where STRIPE_TEST_KEY is set."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.checked import CheckedTransport, Checks
from tests.support.programs import environment, unused_port
from tests.support.sandbox_figures import CHECKS

TEST_KEY = os.environ.get("STRIPE_TEST_KEY", "")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of a sandbox that runs."""
    port = unused_port()
    env = environment(LASTLIGHT_VAR_DIR=str(tmp_path_factory.mktemp("var")))
    command = [sys.executable, "-m", "lastlight", "sandbox", "--port", str(port)]
    process = subprocess.Popen(command, env=env)
    try:
        _until_listens(process, base := f"http://127.0.0.1:{port}")
        yield base
    finally:
        process.terminate()
        process.wait(20)


def _until_listens(process: "subprocess.Popen[bytes]", base: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{base}/v1/balance", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the sandbox does not listen")


@pytest.fixture(scope="session")
def transport() -> CheckedTransport:
    """The SDK's transport."""
    return CheckedTransport(allow_sync_methods=True)


@pytest.fixture(scope="session")
def http() -> Generator[httpx.Client]:
    """Plain HTTP."""
    with httpx.Client(timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def checks(request: pytest.FixtureRequest, transport: CheckedTransport) -> Generator[Checks]:
    """What judges every answer of a test; a violation fails the test."""
    made = transport.checks = Checks()
    yield made
    request.node.user_properties.append((CHECKS, [made.objects, len(made.violations)]))
    assert made.violations == []


@pytest.fixture
def key() -> str:
    """A secret key: an account of the test's own in the sandbox."""
    return TEST_KEY or f"sk_test_{secrets.token_hex(12)}"


@pytest.fixture
def client(
    request: pytest.FixtureRequest, key: str, checks: Checks, transport: CheckedTransport
) -> stripe.StripeClient:
    """The official SDK."""
    base: str = stripe.DEFAULT_API_BASE if TEST_KEY else request.getfixturevalue("sandbox")
    return stripe.StripeClient(key, base_addresses={"api": base}, http_client=transport)


@dataclass(frozen=True, slots=True)
class Controls:
    """The controls of one account."""

    http: httpx.Client
    base: str
    key: str

    def __call__(self, name: str, **wish: Any) -> dict[str, Any]:
        """Use one; without a wish it is only read."""
        reads = name in {"clock", "deliveries"} and not wish
        answer = self.http.request(
            "GET" if reads else "POST",
            f"{self.base}/_sandbox/{name}",
            headers={"authorization": f"Bearer {self.key}"},
            json=None if reads else wish,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def later(self, seconds: int = 5) -> None:
        """Let time pass."""
        self("clock", seconds=seconds)


@pytest.fixture
def controls(request: pytest.FixtureRequest, http: httpx.Client, key: str) -> Controls:
    """The sandbox's controls; Stripe has none, so a test that needs them is skipped there."""
    if TEST_KEY:
        pytest.skip("Stripe's test mode has no controls")
    return Controls(http, request.getfixturevalue("sandbox"), key)


@dataclass(frozen=True, slots=True)
class Wire:
    """Requests without an SDK between, judged like the others."""

    http: httpx.Client
    base: str
    key: str
    checks: Checks

    def __call__(
        self, method: str, path: str, body: str = "", *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """Send one; `body` is the form of a POST, else the query."""
        posts = method == "POST"
        answer = self.http.request(
            method,
            f"{self.base}{path}" + ("" if posts or not body else f"?{body}"),
            content=body if posts else None,
            headers={"authorization": f"Bearer {self.key if key is None else key}"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )
        self.checks.judge(answer.content)
        return answer


@pytest.fixture
def wire(sandbox: str, http: httpx.Client, key: str, checks: Checks) -> Wire:
    """Requests by hand to the sandbox."""
    return Wire(http, sandbox, key, checks)

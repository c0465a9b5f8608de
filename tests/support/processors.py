"""A sandbox beside a test, and the settings of a platform that pays through it."""

import contextlib
import secrets
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from lastlight.runtime.db.pools import Pools
from lastlight.runtime.module import Registry
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.programs import environment, unused_port


@dataclass(frozen=True, slots=True)
class SandboxBeside:
    """A sandbox that runs: its address, and one account in it that nobody else uses."""

    base: str
    secret_key: str
    publishable_key: str
    webhook_secret: str

    def settings(self) -> dict[str, Any]:
        """The settings of a platform that pays through this account: `Settings.load({}, **beside.settings())`."""
        return {
            "stripe_api_base": self.base,
            "stripe_secret_key": self.secret_key,
            "stripe_publishable_key": self.publishable_key,
            "stripe_webhook_secrets": (self.webhook_secret,),
        }

    def environment(self) -> dict[str, str]:
        """The same for a program that is started."""
        return {
            "LASTLIGHT_STRIPE_API_BASE": self.base,
            "LASTLIGHT_STRIPE_SECRET_KEY": self.secret_key,
            "LASTLIGHT_STRIPE_PUBLISHABLE_KEY": self.publishable_key,
            "LASTLIGHT_STRIPE_WEBHOOK_SECRETS": self.webhook_secret,
        }

    def another(self) -> "SandboxBeside":
        """The same sandbox, with an account of its own."""
        name = secrets.token_hex(12)
        return SandboxBeside(self.base, f"sk_test_{name}", f"pk_test_{name}", self.webhook_secret)

    def control(self, name: str, **wish: Any) -> dict[str, Any]:
        """Use one of the sandbox's controls; without a wish `clock` and `deliveries` are only read."""
        reads = name in {"clock", "deliveries"} and not wish
        answer = httpx.request(
            "GET" if reads else "POST",
            f"{self.base}/_sandbox/{name}",
            headers={"authorization": f"Bearer {self.secret_key}"},
            json=None if reads else wish,
            trust_env=False,
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


def processor_of(settings: Settings) -> dict[str, Any]:
    """The settings that name the card provider, for a process that is started with them as JSON."""
    names = ("stripe_api_base", "stripe_secret_key", "stripe_publishable_key", "stripe_webhook_secrets")
    return {name: getattr(settings, name) for name in names}


@contextlib.contextmanager
def sandbox_beside(var_dir: Path) -> Generator[SandboxBeside]:
    """Run a sandbox for the length of the block; what it remembers is under `var_dir`."""
    port, name = unused_port(), secrets.token_hex(12)
    command = [sys.executable, "-m", "lastlight", "sandbox", "--port", str(port)]
    process = subprocess.Popen(command, env=environment(LASTLIGHT_VAR_DIR=str(var_dir)))
    try:
        base = f"http://127.0.0.1:{port}"
        _until_listens(process, base)
        yield SandboxBeside(base, f"sk_test_{name}", f"pk_test_{name}", f"whsec_{secrets.token_hex(16)}")
    finally:
        process.terminate()
        process.wait(20)


def _until_listens(process: "subprocess.Popen[bytes]", base: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{base}/_sandbox/health", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the sandbox does not listen")


def paying_services(settings: Settings) -> Services:
    """Services without a database, for what only speaks to the processor; run their closers in the end."""
    return Services(settings=settings, registry=Registry(()), pools=cast("Pools", None), secrets=None)

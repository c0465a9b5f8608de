"""A network namespace of a test's own, with one line to this machine that the kernel's packet filter can cut without telling anybody."""

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Generator
from dataclasses import dataclass

NEEDS = "losing packets needs root, iproute2 and nftables: apt-get install iproute2 nftables, and run the tests as root"


@dataclass(frozen=True, slots=True)
class LonelyNet:
    """The namespace: programs that `enter` starts reach this machine at `host`, as long as the line holds."""

    name: str
    host: str

    @property
    def enter(self) -> tuple[str, ...]:
        """What a program is started with."""
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """Drop every packet, in and out."""
        _run(*self.enter, "nft", "add", "table", "inet", "cut")
        for way in ("input", "output"):
            hook = f"{{ type filter hook {way} priority 0; policy drop; }}"
            _run(*self.enter, "nft", "add", "chain", "inet", "cut", way, hook)

    def mend(self) -> None:
        """Let packets pass again."""
        _run(*self.enter, "nft", "delete", "table", "inet", "cut")


def possible() -> bool:
    """Whether this user can make a namespace and cut its line."""
    return os.geteuid() == 0 and all(shutil.which(program) for program in ("ip", "nft"))


@contextlib.contextmanager
def lonely_net() -> Generator[LonelyNet]:
    """A namespace with a line to this machine; both are gone at the end."""
    mark = secrets.token_hex(3)
    name, outside, inside = f"lastlight-{mark}", f"lo{mark}", f"li{mark}"
    block = f"10.203.{secrets.randbelow(256)}"
    _run("ip", "netns", "add", name)
    try:
        _run("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name)
        _run("ip", "addr", "add", f"{block}.1/30", "dev", outside)
        _run("ip", "link", "set", outside, "up")
        _run("ip", "-n", name, "addr", "add", f"{block}.2/30", "dev", inside)
        _run("ip", "-n", name, "link", "set", inside, "up")
        _run("ip", "-n", name, "link", "set", "lo", "up")
        yield LonelyNet(name, f"{block}.1")
    finally:
        _run("ip", "netns", "del", name)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=20)

"""Calls to addresses that somebody gave us: only to public ones, on the very address that was looked at, followed nowhere."""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

MOST_BYTES = 8 * 1024
"""How much of an answer is read: what is said beyond it, nobody here needs."""
RESERVED = ("localhost", ".localhost", ".local", ".internal", ".lan", ".home.arpa", ".onion")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
SENDER = "Last Light"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenAddressError(Exception):
    """The address is none that we call; the message says what would be one."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the other side said: the status, the headers, the beginning of the text."""

    status: int
    headers: Mapping[str, str]
    text: str


def check_address(url: str, *, private: bool = False) -> None:
    """Refuse, without asking the network, what cannot be a public https address. Raises ForbiddenAddressError.

    `private` lets tests call servers of their own: http, this machine, private networks.
    """
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise ForbiddenAddressError("It is not an address.") from None
    if parts.scheme not in ({"https", "http"} if private else {"https"}):
        raise ForbiddenAddressError("It must be an https:// address.")
    if not host or parts.username is not None or parts.password is not None or not url.isascii():
        raise ForbiddenAddressError("It must name a host, and nothing like a password.")
    if private:
        return
    literal = _literal(host)
    if literal is not None and not is_public(literal):
        raise ForbiddenAddressError("It must be a public address, not one of a private network.")
    if literal is None and ("." not in host or any(host == name or host.endswith(name) for name in RESERVED)):
        raise ForbiddenAddressError("It must be a public address, not one of a private network.")


def is_public(address: Address) -> bool:
    """Whether an address is somebody's on the open internet, also where another one is written inside it."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:  # given up in 2004, still routed inside some networks
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


async def post(url: str, *, body: bytes, headers: Mapping[str, str], seconds: float, private: bool = False) -> Answered:
    """POST to an address of somebody else's. Raises ForbiddenAddressError, or what httpx raises when nobody answers.

    The name is looked up once and the call goes to the address that was checked, so that a name cannot turn private between
    the look and the call. No redirect is followed, no proxy of the environment is used.
    """
    check_address(url, private=private)
    asked = httpx.URL(url)
    target, extensions = asked, dict[str, str]()
    if not private:
        address = await _public_address(asked.host, asked.port or 443)
        target = asked.copy_with(host=address)
        extensions = {"sni_hostname": asked.host}
    sent = {"User-Agent": SENDER, **headers, "Host": asked.netloc.decode()}
    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", target, content=body, headers=sent, extensions=extensions) as response,
    ):
        text = bytearray()
        async for piece in response.aiter_raw():
            text += piece
            if len(text) >= MOST_BYTES:
                break
        return Answered(response.status_code, response.headers, bytes(text[:MOST_BYTES]).decode(errors="replace"))


async def _public_address(host: str, port: int) -> str:
    """The address to call: the first of the name's, when every one of them is public."""
    literal = _literal(host)
    if literal is not None and not is_public(literal):
        raise ForbiddenAddressError("It must be a public address, not one of a private network.")
    if literal is not None:
        return str(literal)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise httpx.ConnectError(f"{host} has no address: {error}") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise ForbiddenAddressError("It must be a public address, not one of a private network.")
    return str(addresses[0])


def _literal(host: str) -> Address | None:
    """The address that a host is, also in the old ways of writing one; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None

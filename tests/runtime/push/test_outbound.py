"""Calls to addresses that strangers gave: only public ones, on the address that was looked at."""

import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from lastlight.runtime.outbound import ForbiddenAddressError, check_address, is_public, post

PRIVATE = (
    "https://localhost/x",
    "https://push.localhost/x",
    "https://printer.local/x",
    "https://db.internal/x",
    "https://intranet/x",
    "https://127.0.0.1/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "https://10.1.2.3/x",
    "https://192.168.1.1/x",
    "https://172.20.0.1/x",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/x",
    "https://0.0.0.0/x",
    "https://224.0.0.1/x",
    "https://[::1]/x",
    "https://[fc00::1]/x",
    "https://[fe80::1]/x",
    "https://[::ffff:10.0.0.1]/x",
    "https://[64:ff9b::a00:1]/x",
    "https://[2002:7f00:1::]/x",
    "http://push.example.org/x",
    "ftp://push.example.org/x",
    "https:///x",
    "https://user:secret@push.example.org/x",
    "https://push.example.org:notaport/x",
    "https://pusħ.example.org/x",
    "not an address",
)


@pytest.mark.parametrize("url", PRIVATE)
def test_an_address_that_is_not_public_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        check_address(url)


@pytest.mark.parametrize(
    "url", ["https://fcm.googleapis.com/fcm/send/abc", "https://8.8.8.8/x", "https://web.push.apple.com:443/x"]
)
def test_a_public_address_is_taken(url: str) -> None:
    check_address(url)


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.5"], ["::1"], []])
async def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch, found: list[str]) -> None:
    looked: list[str] = []

    async def lookup(host: str, port: int, **more: Any) -> list[Any]:
        looked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
    with pytest.raises(ForbiddenAddressError):
        await post("https://rebound.example.org/x", body=b"", headers={}, seconds=5)
    assert looked == ["rebound.example.org"]

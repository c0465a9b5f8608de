"""Calls to addresses that strangers gave: only public ones, on the address that was looked at."""

import asyncio
import ipaddress
import socket
import ssl
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from lastlight.runtime import outbound
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
    "https://[fec0::1]/x",
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


async def test_a_private_address_is_not_called_though_the_first_look_takes_the_url_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def taken(_url: str, *, private: bool) -> None:
        assert not private

    monkeypatch.setattr(outbound, "check_address", taken)
    for url in ("https://127.0.0.1:1/x", "https://[::1]:1/x"):
        with pytest.raises(ForbiddenAddressError):
            await post(url, body=b"", headers={}, seconds=5)


async def test_the_call_goes_to_the_address_that_was_looked_at_under_the_names_own_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A name that looks public, on a TLS server of ours: the certificate is checked against the name, not the address."""
    certificate, key = _certificate(tmp_path, "push.example.org")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/inside\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def looked_up(host: str, port: int) -> str:
        return "127.0.0.1"

    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(outbound, "_public_address", looked_up)
    monkeypatch.setattr(outbound.httpx, "AsyncClient", partial(httpx.AsyncClient, verify=trusting))
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving) as server:
        port: int = server.sockets[0].getsockname()[1]
        found = await post(f"https://push.example.org:{port}/x", body=b"", headers={"TTL": "1"}, seconds=30)
        with pytest.raises(httpx.ConnectError):
            await post(f"https://another.example.org:{port}/x", body=b"", headers={}, seconds=30)
    assert found.status == 302, "a redirect is an answer, and followed nowhere"
    [said] = heard
    assert f"Host: push.example.org:{port}".encode() in said


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of its own for a name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, private

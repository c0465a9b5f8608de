"""A push service on this machine: it takes messages for the browsers it knows, checks who sent them, and reads what they say.

It decrypts with the browser's own private key by the steps of RFC 8291, without the library that encrypts.
"""

import base64
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def as_text(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def as_bytes(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Browser:
    """One browser's side of a subscription: its private key, its secret, and where its messages go."""

    endpoint: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"sixteen bytes ok"

    @property
    def public(self) -> bytes:
        """The uncompressed point."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def body(self, key: str) -> dict[str, Any]:
        """What the browser sends to us, having subscribed with our `key`."""
        keys = {"p256dh": as_text(self.public), "auth": as_text(self.auth)}
        return {"endpoint": self.endpoint, "keys": keys, "application_server_key": key}

    def read(self, body: bytes) -> bytes:
        """The plain text of an aes128gcm message of one record, by RFC 8188 and RFC 8291."""
        salt, length = body[:16], body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.private.exchange(ec.ECDH(), point)
        secret = _hkdf(self.auth, shared, b"WebPush: info\x00" + self.public + sender, 32)
        key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\x00", 12)
        padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")
        assert padded.endswith(b"\x02"), "the last record ends with a two"
        return padded[:-1]


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


@dataclass
class Message:
    """What arrived for a browser."""

    endpoint: str
    headers: dict[str, str]
    claims: dict[str, Any]
    key: str
    body: bytes
    said: dict[str, Any]


@dataclass
class Answer:
    """What the service answers next."""

    status: int
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Postman:
    """The running service; use it in a `with`."""

    def __init__(self) -> None:
        self.browsers: dict[str, Browser] = {}
        self.taken: list[Message] = []
        self.calls: list[str] = []
        self.refused: list[str] = []
        """Why a message was not taken: a proof that does not hold, a text that cannot be read."""
        self.answers: dict[str, list[Answer]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def new_browser(self, name: str, *answers: Answer) -> Browser:
        """A browser that it delivers to, after it has answered as told."""
        path = f"/push/{name}"
        browser = self.browsers[path] = Browser(self.origin + path)
        self.answers[path] = list(answers)
        return browser

    def said_to(self, browser: Browser) -> list[dict[str, Any]]:
        """What a browser was told, in order."""
        return [message.said for message in self.taken if message.endpoint == browser.endpoint]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Judge one call as a push service does."""
        self.calls.append(path)
        browser = self.browsers.get(path)
        if browser is None:
            return Answer(410)
        if self.answers[path]:
            return self.answers[path].pop(0)
        try:
            claims, key = check_proof(headers.get("authorization", ""))
            assert claims["aud"] == self.origin, f"it is for another service: {claims}"
            assert headers.get("content-encoding") == "aes128gcm", headers
            assert int(headers["ttl"]) >= 0, headers
            said = json.loads(browser.read(body))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a message is why it was not taken
            self.refused.append(repr(error))
            return Answer(403)
        self.taken.append(Message(browser.endpoint, headers, claims, key, body, said))
        return Answer(201)


def check_proof(header: str) -> tuple[dict[str, Any], str]:
    """The claims and the key of `vapid t=…, k=…` (RFC 8292), whose signature holds."""
    scheme, _, rest = header.partition(" ")
    assert scheme == "vapid", header
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, claims, signature = parts["t"].split(".")
    raw = as_bytes(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), as_bytes(parts["k"]))
    try:
        public.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise ValueError("the proof does not hold") from None
    return json.loads(as_bytes(claims)), parts["k"]


def _handler(service: Postman) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            answer = service.take(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the server's name for it
            """Say nothing."""

    return Handler

"""A guest's phone: a key that signs claimed times as the patron app does."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lastlight.domains.checkins.claims import Proof


def base64url(raw: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Phone:
    """A phone with a key pair; `key_id` is what the server calls it."""

    private: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    key_id: UUID = field(default_factory=uuid4)

    @property
    def public_key(self) -> str:
        """SPKI as base64url."""
        spki = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64url(spki)

    def prove(self, subject: str, claimed_at: str, key: str) -> Proof:
        """Sign a claimed time."""
        message = f"lastlight-claim-v1\n{subject}\n{claimed_at}\n{key}".encode()
        r, s = decode_dss_signature(self.private.sign(message, ECDSA(SHA256())))
        return Proof(key_id=self.key_id, signature=base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big")))


def clock_text(at: datetime) -> str:
    """A time as a phone writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

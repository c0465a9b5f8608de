"""A key that a phone or a scanner holds: what WebCrypto does in a browser, done here."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lastlight.kernel.base64url import encode_base64url


@dataclass
class HeldKey:
    """An ECDSA P-256 key pair."""

    private: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    @property
    def public_key(self) -> str:
        """SPKI as base64url."""
        spki = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return encode_base64url(spki)

    def sign(self, message: bytes) -> str:
        """ECDSA with SHA-256, `r || s` as base64url."""
        r, s = decode_dss_signature(self.private.sign(message, ECDSA(SHA256())))
        return encode_base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

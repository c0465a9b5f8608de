"""Signatures of phones and devices: ECDSA P-256 with SHA-256, `r || s` as base64url, public keys as SPKI (WebCrypto's forms)."""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lastlight.kernel.base64url import decode_base64url


def load_public_key(der: bytes) -> EllipticCurvePublicKey | None:
    """A P-256 public key from its SPKI, or None when it is something else."""
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1) else None


def is_signed_by(key: EllipticCurvePublicKey, *, signature: str, message: bytes) -> bool:
    """Whether a signature over the message is the key's; one that cannot be read is nobody's."""
    raw = decode_base64url(signature)
    if raw is None or len(raw) != 64:
        return False
    try:
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key.verify(der, message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True

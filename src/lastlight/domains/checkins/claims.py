"""Claimed times: a phone without a network signs when it scanned, and the signature is checked when the scan arrives. Pure.

The signature is ECDSA P-256 with SHA-256, `r || s` as base64url, over the UTF-8 of
`lastlight-claim-v1\\n{code}\\n{claimed_at}\\n{idempotency key}`, each exactly as it is sent; a check-out signs the word
`checkout` in the code's place.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from lastlight.domains.checkins.errors import ClaimInFuture, ClaimTooLate, ClaimUnsigned
from lastlight.kernel.errors import Invalid
from lastlight.runtime.p256 import is_signed_by, load_public_key

UNSIGNED_FOR = timedelta(seconds=60)
"""How old a claim may be without a signature; it then counts from its receipt."""
AHEAD_BY = timedelta(seconds=60)
"""How far a phone's clock may run ahead."""
KEY_SKEW = timedelta(minutes=5)
"""How much younger than the claim a phone's key may be, since the two come from two clocks."""
CHECKOUT = "checkout"


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The phone's signature over a claimed time, and the id of the key it registered."""

    key_id: UUID
    signature: str


class PhoneKey(msgspec.Struct, frozen=True, kw_only=True):
    """A registered public key (SPKI, DER) of the guest who claims."""

    public_key: bytes
    created_at: datetime
    revoked_at: datetime | None


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed time as it was sent, with what it was signed together with."""

    subject: str
    """The code's text, or `checkout`."""
    text: str
    at: datetime
    idempotency_key: str
    proof: Proof | None


def read_claim(*, subject: str, claimed_at: str | None, proof: Proof | None, idempotency_key: str) -> Claim | None:
    """The claim of a request, or None when it makes none; raises Invalid for a time that cannot be read."""
    if claimed_at is None:
        if proof is not None:
            raise Invalid(fields={"claimed_at": "Send the time that the proof was signed for."})
        return None
    at = _moment(claimed_at)
    if at is None:
        raise Invalid(fields={"claimed_at": "Give a time with its offset, such as 2026-11-21T22:30:00Z."})
    return Claim(subject=subject, text=claimed_at, at=at, idempotency_key=idempotency_key, proof=proof)


def _moment(text: str) -> datetime | None:
    """A time with its offset, in UTC; None for what is none, also where UTC has no such year any more."""
    try:
        at = msgspec.convert(text, datetime)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (msgspec.ValidationError, OverflowError):
        return None


def judged_time(claim: Claim | None, *, key: PhoneKey | None, now: datetime, oldest: timedelta) -> datetime:
    """The time that a request counts from: its receipt, or the claimed time where the phone proves it.

    Raises ClaimInFuture, ClaimTooLate or ClaimUnsigned.
    """
    if claim is None:
        return now
    if claim.at > now + AHEAD_BY:
        raise ClaimInFuture(fields={"claimed_at": "This lies in the future."})
    if now - claim.at > oldest:
        hours = oldest.total_seconds() / 3600
        raise ClaimTooLate(
            f"It was made more than {hours:g} hours ago. " + ClaimTooLate.default_detail,
            fields={"claimed_at": f"This is more than {hours:g} hours old."},
        )
    if claim.proof is None:
        if now - claim.at > UNSIGNED_FOR:
            raise ClaimUnsigned(fields={"proof": "Sign the claimed time with the phone's key."})
        return now
    _require_proof(claim, claim.proof, key)
    return min(claim.at, now)


def claim_message(claim: Claim) -> bytes:
    """The bytes that the phone signs."""
    return f"lastlight-claim-v1\n{claim.subject}\n{claim.text}\n{claim.idempotency_key}".encode()


def _require_proof(claim: Claim, proof: Proof, key: PhoneKey | None) -> None:
    if key is None or key.revoked_at is not None:
        raise ClaimUnsigned(
            fields={"proof.key_id": "This is not a key of yours, or it was revoked; register the phone again."}
        )
    if key.created_at > claim.at + KEY_SKEW:
        raise ClaimUnsigned(fields={"proof.key_id": "This key was registered after the claimed time."})
    public_key = load_public_key(key.public_key)
    if public_key is None or not is_signed_by(public_key, signature=proof.signature, message=claim_message(claim)):
        raise ClaimUnsigned(
            fields={
                "proof.signature": "This is no signature (r and s, 32 bytes each, as base64url) of the code, the time and the key."
            }
        )

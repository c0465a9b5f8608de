"""The chain's arithmetic: a salted digest of what an entry says, and a hash over the entry before it.

digest = SHA-256(salt ‖ payload) and hash = SHA-256(previous hash ‖ header ‖ digest), where the header is canonical JSON of every
other column. Payload and salt may be dropped by retention or erasure: digest and hash stay, so the chain still verifies,
and without the salt nobody can guess the payload back from its digest.
"""

import hashlib
import os
from datetime import UTC, datetime
from uuid import UUID

import msgspec

GENESIS = bytes(32)
"""The hash before a tenant's first entry."""

SALT_BYTES = 16


class Header(msgspec.Struct, frozen=True, array_like=True):
    """What the chain fixes of an entry besides its payload; the order of the fields is the format."""

    tenant_id: UUID
    seq: int
    id: UUID
    at: datetime
    name: str
    entity: str
    entity_id: str
    venue_id: UUID | None
    actor_kind: str
    actor_id: UUID | None
    origin: str


def new_salt() -> bytes:
    """A salt for one entry."""
    return os.urandom(SALT_BYTES)


def digest_of(salt: bytes, payload: str) -> bytes:
    """The salted digest of a payload."""
    return hashlib.sha256(salt + payload.encode()).digest()


def hash_of(previous: bytes, header: Header, digest: bytes) -> bytes:
    """The hash of an entry, which binds it to all entries before it."""
    return hashlib.sha256(previous + header_bytes(header) + digest).digest()


def header_bytes(header: Header) -> bytes:
    """Canonical JSON of a header; times are UTC to the microsecond."""
    utc = msgspec.structs.replace(header, at=header.at.astimezone(UTC))
    return msgspec.json.encode(utc)


def checkpoint_message(tenant_id: UUID, seq: int, head: bytes) -> bytes:
    """What a signed checkpoint signs: the tenant, how far, and the hash there."""
    return b"lastlight-audit-checkpoint-v1\n" + f"{tenant_id}\n{seq}\n{head.hex()}".encode()

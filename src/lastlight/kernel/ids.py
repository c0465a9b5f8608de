"""Distinct id types, and UUIDv7 made by a client."""

import os
import time
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", UUID)
UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
RoleId = NewType("RoleId", UUID)
MembershipId = NewType("MembershipId", UUID)
PatronId = NewType("PatronId", UUID)
VenueId = NewType("VenueId", UUID)
CheckinId = NewType("CheckinId", UUID)
VisitId = NewType("VisitId", UUID)
JobId = NewType("JobId", UUID)
FileId = NewType("FileId", UUID)
MailId = NewType("MailId", UUID)
ResourceId = NewType("ResourceId", UUID)
BookingId = NewType("BookingId", UUID)
BannerId = NewType("BannerId", UUID)
ImageId = NewType("ImageId", UUID)

PLATFORM = TenantId(UUID(int=0))
"""The platform is the tenant of its own crew."""


def uuid7() -> UUID:
    """Return a new UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then 74 random bits."""
    millis = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    value = (millis & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (noise >> 68) << 64 | 0b10 << 62 | noise & ((1 << 62) - 1)
    return UUID(int=value)


def uuid_of(text: str) -> UUID | None:
    """The id that a text from outside says; None where it says none."""
    try:
        return UUID(text)
    except ValueError:
        return None

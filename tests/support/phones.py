"""A guest's phone: a key that signs claimed times as the patron app does."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from lastlight.domains.checkins.claims import Proof
from lastlight.simulator.keys import HeldKey


@dataclass
class Phone(HeldKey):
    """A phone with a key pair; `key_id` is what the server calls it."""

    key_id: UUID = field(default_factory=uuid4)

    def prove(self, subject: str, claimed_at: str, key: str) -> Proof:
        """Sign a claimed time."""
        message = f"lastlight-claim-v1\n{subject}\n{claimed_at}\n{key}".encode()
        return Proof(key_id=self.key_id, signature=self.sign(message))


def clock_text(at: datetime) -> str:
    """A time as a phone writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

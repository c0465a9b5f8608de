"""Signed checkpoints: from time to time the relay signs each tenant's head, so that a rewritten chain is found out."""

from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature

from lastlight.runtime.audit.chain import checkpoint_message
from lastlight.runtime.secrets import Secrets

PURPOSE = "audit-checkpoints"
EVERY_ENTRIES = 1000
EVERY_SECONDS = 600

# every tenant: the relay signs every chain that is due
DUE = """
select s.tenant_id, s.seq, s.hash
from tenant_sequences s
left join lateral (
    select c.seq, c.at from audit_checkpoints c where c.tenant_id = s.tenant_id order by c.seq desc limit 1
) last on true
where s.seq > coalesce(last.seq, 0)
  and (last.at is null or last.at < now() - make_interval(secs => $2) or s.seq - last.seq >= $1)
limit 500
"""
INSERT = """
insert into audit_checkpoints (tenant_id, seq, hash, signature)
select * from unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bytea[])
on conflict do nothing
"""


class SignedHead(msgspec.Struct, frozen=True):
    """How far a tenant's chain had come, under our signature."""

    tenant_id: UUID
    seq: int
    hash: bytes
    signature: bytes


async def sign_due(
    connection: Any, secrets: Secrets, *, every_entries: int = EVERY_ENTRIES, every_seconds: float = EVERY_SECONDS
) -> list[SignedHead]:
    """Sign the head of every tenant that is due; what was signed. Runs on the relay's own connection."""
    due = await connection.fetch(DUE, every_entries, float(every_seconds))
    if not due:
        return []
    key = secrets.signing_key(PURPOSE)
    key_id = bytes.fromhex(secrets.key_id())
    heads = [
        SignedHead(tenant_id, seq, head, key_id + key.sign(checkpoint_message(tenant_id, seq, head)))
        for tenant_id, seq, head in due
    ]
    await connection.execute(
        INSERT,
        [head.tenant_id for head in heads],
        [head.seq for head in heads],
        [head.hash for head in heads],
        [head.signature for head in heads],
    )
    return heads


def signature_holds(secrets: Secrets, row: Any) -> bool:
    """Whether one of our keys, current or earlier, signed this checkpoint."""
    key = secrets.verifying_keys(PURPOSE).get(row["signature"][:4].hex())
    if key is None:
        return False
    try:
        key.verify(row["signature"][4:], checkpoint_message(row["tenant_id"], row["seq"], row["hash"]))
    except InvalidSignature:
        return False
    return True

"""`lastlight verify audit`: walk every tenant's chain, recompute it, and name each entry that is not what it was."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from lastlight.runtime.audit.chain import GENESIS, Header, digest_of, hash_of
from lastlight.runtime.audit.checkpoints import signature_holds
from lastlight.runtime.audit.witness import contradiction, witness_folder, witnessed_tenants
from lastlight.runtime.db.looking import opened_verifier
from lastlight.runtime.secrets import Secrets
from lastlight.runtime.settings import Settings

BATCH = 2000
SHOWN = 20
"""Most findings kept of one tenant; the rest are counted."""

# every tenant: this is the list of all chains
TENANTS = """
with recursive chained as (
    (select tenant_id from audit_entries order by tenant_id limit 1)
    union all
    select (select a.tenant_id from audit_entries a where a.tenant_id > chained.tenant_id order by a.tenant_id limit 1)
    from chained where chained.tenant_id is not null
)
select tenant_id from chained where tenant_id is not null
union select tenant_id from tenant_sequences
union select tenant_id from audit_checkpoints
order by 1
"""
ENTRIES = """
select tenant_id, seq, id, at, name, entity, entity_id, venue_id, actor_kind, actor_id, origin, salt, payload, digest, hash
from audit_entries where tenant_id = $1 order by seq
"""
CHECKPOINTS = "select tenant_id, seq, hash, signature from audit_checkpoints where tenant_id = $1 order by seq"


@dataclass(slots=True)
class TenantReport:
    """What a walk over one tenant's chain found."""

    tenant_id: UUID
    entries: int = 0
    forgotten: int = 0
    """Entries whose payload retention or erasure has dropped."""
    checkpoints: int = 0
    head: bytes = GENESIS
    seq: int = 0
    findings: list[str] = field(default_factory=list[str])
    more: int = 0

    def differs(self, what: str) -> None:
        """Keep a finding, or count it when there are many."""
        if len(self.findings) < SHOWN:
            self.findings.append(what)
        else:
            self.more += 1


async def run(settings: Settings) -> int:
    """Verify every tenant and print what differs; the exit code: 0 when all chains hold, 1 when one does not."""
    reports = [report async for report in verify_all(settings)]
    broken = 0
    for report in reports:
        broken += bool(report.findings)
        _print(report)
    entries = sum(report.entries for report in reports)
    say(
        f"{entries} entries of {len(reports)} tenants: "
        + (f"{broken} chains are broken" if broken else "every chain holds")
    )
    return 1 if broken else 0


async def verify_all(settings: Settings) -> AsyncIterator[TenantReport]:
    """The report of each tenant in turn, read as the looker, which can change nothing."""
    secrets = Secrets(settings.secret_key, settings.secret_keys)
    async with opened_verifier(settings) as connection:
        folder = await witness_folder(connection, settings.var_dir)
        chained = {row["tenant_id"] for row in await connection.fetch(TENANTS)}
        for tenant_id in sorted(chained | witnessed_tenants(folder)):
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield await verify_tenant(connection, secrets, tenant_id, witness=folder)


async def verify_tenant(
    connection: Any, secrets: Secrets, tenant_id: UUID, *, witness: Path | None = None
) -> TenantReport:
    """Walk one chain inside the transaction given, which must see one snapshot; `witness` is the folder of the heads kept apart."""
    report = TenantReport(tenant_id)
    checkpoints = {row["seq"]: row for row in await connection.fetch(CHECKPOINTS, tenant_id)}
    report.checkpoints = len(checkpoints)
    cursor = await connection.cursor(ENTRIES, tenant_id)
    while rows := await cursor.fetch(BATCH):
        for row in rows:
            _check_entry(report, row)
            if row["seq"] in checkpoints:
                _check_checkpoint(report, secrets, checkpoints.pop(row["seq"]), row["hash"])
    for seq in checkpoints:
        report.differs(f"seq {seq}: a signed checkpoint stands here, but the entry is gone")
    await _check_tail(connection, report)
    if witness is not None and (said := await contradiction(connection, secrets, witness, tenant_id)):
        report.differs(said)
    return report


def _check_entry(report: TenantReport, row: Any) -> None:
    seq = row["seq"]
    if seq != report.seq + 1:
        gone = f"{report.seq + 1}" if seq == report.seq + 2 else f"{report.seq + 1} to {seq - 1}"
        report.differs(f"seq {gone}: missing (deleted, or the order was changed)")
    if (row["salt"] is None) != (row["payload"] is None):
        report.differs(f"seq {seq}: salt and payload were not dropped together")
    elif row["payload"] is None:
        report.forgotten += 1
    elif digest_of(row["salt"], row["payload"]) != row["digest"]:
        report.differs(f"seq {seq}: the record (who, before, after, reason) differs from its digest")
    if hash_of(report.head, _header(row), row["digest"]) != row["hash"]:
        report.differs(
            f"seq {seq}: the entry, or the one before it, differs from its hash ({row['name']} of {row['at']:%Y-%m-%d %H:%M:%S})"
        )
    report.entries += 1
    report.seq, report.head = seq, row["hash"]


def _header(row: Any) -> Header:
    return Header(**{name: row[name] for name in Header.__struct_fields__})


def _check_checkpoint(report: TenantReport, secrets: Secrets, checkpoint: Any, found: bytes) -> None:
    if not signature_holds(secrets, checkpoint):
        report.differs(f"seq {checkpoint['seq']}: the checkpoint's signature is not ours")
    elif checkpoint["hash"] != found:
        report.differs(f"seq {checkpoint['seq']}: differs from the signed checkpoint, so the chain was rewritten")


async def _check_tail(connection: Any, report: TenantReport) -> None:
    row = await connection.fetchrow("select seq, hash from tenant_sequences where tenant_id = $1", report.tenant_id)
    seq, head = (row["seq"], row["hash"]) if row else (0, GENESIS)
    if seq > report.seq:
        report.differs(f"seq {report.seq + 1} to {seq}: missing at the end (the tenant's sequence stands at {seq})")
    elif seq < report.seq:
        report.differs(f"seq {seq + 1} to {report.seq}: added behind the tenant's sequence, which stands at {seq}")
    elif head != report.head:
        report.differs(f"seq {seq}: differs from the head that the tenant's sequence keeps")
    published = await connection.fetchval("select max(seq) from events where tenant_id = $1", report.tenant_id)
    if published is not None and published > max(seq, report.seq):
        report.differs(
            f"seq {max(seq, report.seq) + 1} to {published}: events were published that the chain does not hold"
        )


def _print(report: TenantReport) -> None:
    for finding in report.findings:
        say(f"tenant {report.tenant_id}: {finding}")
    if report.more:
        say(f"tenant {report.tenant_id}: and {report.more} more")
    state = "broken" if report.findings else "holds"
    say(
        f"tenant {report.tenant_id}: {state}, {report.entries} entries ({report.forgotten} forgotten), "
        f"{report.checkpoints} checkpoints, head {report.seq} {report.head.hex()}"
    )


def say(line: str) -> None:
    """One line for the person at the terminal."""
    sys.stdout.write(line + "\n")

"""The audit log's operations."""

from lastlight.kernel.errors import NotFound
from lastlight.runtime.audit.entries import AUDIT, AUDIT_READ, AuditEntry, read_entry
from lastlight.runtime.audit.retention import forget_old_entries
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get
from lastlight.runtime.http.listing import listing_get
from lastlight.runtime.module import Module

LARGEST = 2**63 - 1


@get("/api/audit/{seq:int}", permission=AUDIT_READ, raises=[NotFound], tags=["audit"])
async def read_audit_entry(ctx: Ctx, seq: int) -> AuditEntry:
    """Read one entry of the audit log, with its digest, its hash and the hash of the entry before it."""
    if not 0 < seq <= LARGEST:
        raise NotFound
    return await read_entry(ctx, seq=seq)


MODULE = Module(
    name="audit",
    summary="The audit log: append-only, hash-chained per tenant, checkpoints signed.",
    routes=[listing_get("/api/audit", AUDIT, tags=["audit"]), read_audit_entry],
    permissions=[AUDIT_READ],
    jobs=[forget_old_entries],
    listings=[AUDIT],
)

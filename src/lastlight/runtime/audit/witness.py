"""A witness outside the database: each chain's newest signed head, kept as a small file beside the platform's other files.

Whoever rules the database alone can cut a chain off together with its checkpoints; the file still says how far it had come. A head
is replaced only by one of the same chain, so that nothing written after a cut hides it. Several machines may each keep one.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import structlog

from lastlight.runtime.audit.checkpoints import SignedHead, signature_holds
from lastlight.runtime.files import replace_file
from lastlight.runtime.secrets import Secrets

log = structlog.get_logger(__name__)

# The same for every copy of the code, another for every database that was ever set up.
INSTALLED = "select extract(epoch from applied_at)::bigint from schema_migrations where number = 1"
HEAD = "select hash from audit_entries where tenant_id = $1 and seq = $2"
_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(SignedHead)


async def witness_folder(connection: Any, var_dir: Path) -> Path:
    """The folder for the heads of this database."""
    return var_dir / "audit" / str(await connection.fetchval(INSTALLED))


async def keep_heads(connection: Any, folder: Path, heads: Sequence[SignedHead]) -> int:
    """Keep newly signed heads; how many chains no longer hold what was kept of them, which stay as they are, with an alarm."""
    differing = 0
    for head in heads:
        known = await asyncio.to_thread(read_head, folder, head.tenant_id)
        if known is not None and await connection.fetchval(HEAD, known.tenant_id, known.seq) != known.hash:
            differing += 1
            log.error("an audit chain differs from what was signed of it", tenant_id=str(head.tenant_id), seq=known.seq)
            continue
        await asyncio.to_thread(_write, folder, head)
    return differing


def read_head(folder: Path, tenant_id: UUID) -> SignedHead | None:
    """What was kept of a tenant's chain; None where nothing was, or nothing that can be read."""
    try:
        return _decoder.decode((folder / f"{tenant_id}.json").read_bytes())
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def witnessed_tenants(folder: Path) -> set[UUID]:
    """The tenants of which a head is kept."""
    return {UUID(path.stem) for path in folder.glob("*.json")}


async def contradiction(connection: Any, secrets: Secrets, folder: Path, tenant_id: UUID) -> str | None:
    """What a kept head says against the chain in the database, as a sentence."""
    head = await asyncio.to_thread(read_head, folder, tenant_id)
    if head is None or not signature_holds(secrets, msgspec.structs.asdict(head)):
        return None
    if await connection.fetchval(HEAD, tenant_id, head.seq) == head.hash:
        return None
    return f"seq {head.seq}: differs from the head kept outside the database, so the chain was cut off or rewritten, or is restored"


def _write(folder: Path, head: SignedHead) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / f"{head.tenant_id}.json", _encoder.encode(head))

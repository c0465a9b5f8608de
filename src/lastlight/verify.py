"""`lastlight verify`: recompute what must never have been changed, and name what differs."""

import argparse

from lastlight.domains.credits import verify as credits_
from lastlight.domains.ledger import verify as ledger
from lastlight.runtime.audit import verify as audit
from lastlight.runtime.settings import Settings

SUBJECTS = {"audit": audit.run, "ledger": ledger.run, "credits": credits_.run}


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Verify one subject; the exit code: 0 when all of it holds, 1 when something differs."""
    return await SUBJECTS[arguments.subject](settings)

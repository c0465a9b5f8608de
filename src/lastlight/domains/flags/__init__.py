"""Feature flags: what is switched on for the platform, for a business, and for which share of them.

`enabled(ctx, key=…)` answers in one statement. A business's own answer goes before the platform's; a share is decided by a
digest of the flag and of the business or user, so that somebody who has a feature keeps it while the share grows. A flag
that does not exist is off. A flag that code asks for is declared by its module; `sync_flags` writes it down where the crew
has not yet. This is all that other domains may use.
"""

from lastlight.domains.flags.queries import enabled
from lastlight.domains.flags.seeding import seed_answer, sync_flags

__all__ = ["enabled", "seed_answer", "sync_flags"]

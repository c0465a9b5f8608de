"""What whoever waits for the database is told when it is away."""

import asyncpg

from lastlight.kernel.errors import Busy

LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, Busy)
"""The database is away, silent or busy. A killed backend shows itself as any of the driver's; as the last of them when it dies
between two steps of one statement. A loop that lives on without it logs this, waits, and looks again."""

"""`lastlight migrate`: check that the server can carry the platform, then bring the database up to date."""

from lastlight.runtime.db.migrate import migrate
from lastlight.runtime.settings import Settings
from lastlight.runtime.supervision.managed_database import check_managed_database


async def run_migrations(settings: Settings) -> str:
    """Apply what is missing; returns what was done as lines for the terminal."""
    if not settings.embedded:
        await check_managed_database(settings.database_url)
    applied = await migrate(settings)
    return "\n".join(f"applied {name}" for name in applied) or "The database is up to date."

"""A statement that is a transaction of its own, of the platform itself: one round trip, where nothing else belongs to it."""

from typing import Any

import structlog

from lastlight.kernel.errors import Busy, Unsure
from lastlight.kernel.ids import TenantId
from lastlight.runtime.db.bounded import GONE, has_ended
from lastlight.runtime.db.connection import Db
from lastlight.runtime.observability.metrics import TRANSACTION_SECONDS
from lastlight.runtime.observability.tracing import span
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)


async def run_single(services: Services, tenant_id: TenantId, sql: str, *args: Any) -> Any:
    """Run a statement as the app's role and commit it; its first value. It is given the tenant as text first, and enters it by itself:
    `select … from (select set_config('app.tenant_id', $1, true) as tenant) entered where tenant <> ''`.

    Raises Busy when no connection comes free in time (nothing was done) and Unsure when the database went silent over it.
    """
    pool = services.pools.by_name("app")
    try:
        connection = await pool.take()
    except (TimeoutError, *GONE) as error:
        log.warning("no database connection", role="app", error=str(error) or type(error).__name__)
        raise Busy from error
    try:
        with span("transaction", db__role="app"), TRANSACTION_SECONDS.labels("app").time():
            return await Db(connection, services.registry.constraints).fetchval(sql, str(tenant_id), *args)
    except (TimeoutError, *GONE) as error:
        await pool.drop(connection, error)
        raise Unsure from error
    except BaseException as error:
        if has_ended(connection) or not isinstance(error, Exception):  # a cancelled statement may still be running
            await pool.drop(connection, error)
        raise
    finally:
        await pool.release(connection)

"""Up to what one person decides alone."""

from lastlight.runtime.tenant_settings import TenantSetting

CREDITS_LIMIT = TenantSetting(
    key="credits.adjustment_limit",
    type=int,
    default=500,
    label="Adjusting credits alone",
    description="Up to how many credits one person adds or takes by hand, in whole units of the currency; more needs a second person.",
    minimum=0,
    maximum=1_000_000,
)
LEDGER_LIMIT = TenantSetting(
    key="ledger.adjustment_limit",
    type=int,
    default=0,
    label="Adjusting the books alone",
    description="Up to what amount one person moves between accounts by hand, in whole units of the currency; more needs a second person.",
    minimum=0,
    maximum=1_000_000,
)
SETTINGS = (CREDITS_LIMIT, LEDGER_LIMIT)

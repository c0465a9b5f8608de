"""What a business decides about credits."""

from typing import Any, NamedTuple

from lastlight.kernel import currencies
from lastlight.kernel.money import digits_of, parsed
from lastlight.runtime.context import Ctx
from lastlight.runtime.tenant_settings import TenantSetting

MOST_WHOLE = 1_000_000
ON_SALE = TenantSetting(
    key="credits.on_sale",
    type=bool,
    default=True,
    label="Sell credits",
    description="Whether guests can buy credits by card.",
)


def packages_of(text: str) -> dict[str, list[int]]:
    """The amounts offered in each currency, in minor units. Raises ValueError with a sentence that says what to type.

    Each line or part between semicolons is a currency and its amounts: `ZAR 100 250 500; USD 10 20`.
    """
    found: dict[str, list[int]] = {}
    for part in text.replace("\n", ";").split(";"):
        words = part.replace(",", " ").split()
        if not words:
            continue
        currency = words[0]
        if currency not in currencies.CURRENCIES:
            raise ValueError("Begin each part with a currency, such as ZAR 100 250 500; USD 10 20.")
        amounts = sorted({parsed(word, currency) for word in words[1:]})
        if not amounts or amounts[0] <= 0 or len(amounts) > 12:
            raise ValueError(f"Give between one and twelve amounts above zero after {currency}.")
        found[currency] = amounts
    return found


def _packages_fit(text: str) -> None:
    packages_of(text)


PACKAGES = TenantSetting(
    key="credits.packages",
    type=str,
    default="",
    label="Amounts offered",
    description=(
        "What guests are offered to buy, for each currency, such as ZAR 100 250 500; USD 10 20. Left empty, 100, 250 and 500 of the "
        "business's own currency. A guest may also type another amount between the least and the most."
    ),
    maximum=500,
    fits=_packages_fit,
)
LEAST = TenantSetting(
    key="credits.least",
    type=int,
    default=20,
    label="Least of a purchase",
    description="How much a guest buys at least, in whole units of the currency.",
    minimum=1,
    maximum=MOST_WHOLE,
)
MOST = TenantSetting(
    key="credits.most",
    type=int,
    default=5_000,
    label="Most of a purchase",
    description="How much a guest buys at most at once, in whole units of the currency.",
    minimum=1,
    maximum=MOST_WHOLE,
)
MOST_BALANCE = TenantSetting(
    key="credits.most_balance",
    type=int,
    default=20_000,
    label="Most of a guest",
    description="How many credits a guest may have, in whole units of the currency; looked at when a purchase begins, with what is being paid counted.",
    minimum=1,
    maximum=10 * MOST_WHOLE,
)
EXPIRY = TenantSetting(
    key="credits.expiry_months",
    type=int,
    default=36,
    label="Expiry",
    description="After how many months unspent credits expire; 0 for never. Those that guests have keep the time they were sold with.",
    minimum=0,
    maximum=120,
    unit="months",
)
GRACE = TenantSetting(
    key="credits.grace_days",
    type=int,
    default=30,
    label="Time after giving back",
    description="Credits that are given back or released can be spent for at least so long, even where they would have expired before.",
    minimum=1,
    maximum=366,
    unit="days",
)
WARNED = TenantSetting(
    key="credits.warning_days",
    type=int,
    default=14,
    label="Warning before expiry",
    description="How many days before credits expire their guest is told; 0 for not at all.",
    minimum=0,
    maximum=90,
    unit="days",
)
GUEST_REFUND = TenantSetting(
    key="credits.guest_refund_days",
    type=int,
    default=14,
    label="Refund by the guest",
    description="For how many days after a purchase guests send what is unspent back to their card themselves; 0 leaves it to staff.",
    minimum=0,
    maximum=365,
    unit="days",
)
SETTINGS = (ON_SALE, PACKAGES, LEAST, MOST, MOST_BALANCE, EXPIRY, GRACE, WARNED, GUEST_REFUND)

STORED = "select key, value from tenant_settings where tenant_id = $1 and key like 'credits.%'"
CURRENCIES = """
select t.currency as own, array(select distinct v.currency from venues v where v.tenant_id = $1 and v.status = 'active') as here
from tenants t where t.id = $1
"""


class Rules(NamedTuple):
    """What the business has decided."""

    on_sale: bool
    packages: dict[str, list[int]]
    least: int
    most: int
    most_balance: int
    expiry_months: int
    grace_days: int
    warning_days: int
    guest_refund_days: int

    def minor(self, whole: int, currency: str) -> int:
        """Whole units of a currency in its minor units."""
        return whole * 10 ** digits_of(currency)


async def read_rules(ctx: Ctx) -> Rules:
    """The settings that hold for the business."""
    stored: dict[str, Any] = {row["key"]: row["value"] for row in await ctx.db.fetch(STORED, ctx.tenant_id)}
    return Rules(
        on_sale=ON_SALE.read(stored.get(ON_SALE.key)),
        packages=packages_of(PACKAGES.read(stored.get(PACKAGES.key))),
        least=LEAST.read(stored.get(LEAST.key)),
        most=MOST.read(stored.get(MOST.key)),
        most_balance=MOST_BALANCE.read(stored.get(MOST_BALANCE.key)),
        expiry_months=EXPIRY.read(stored.get(EXPIRY.key)),
        grace_days=GRACE.read(stored.get(GRACE.key)),
        warning_days=WARNED.read(stored.get(WARNED.key)),
        guest_refund_days=GUEST_REFUND.read(stored.get(GUEST_REFUND.key)),
    )


async def offered(ctx: Ctx, *, rules: Rules) -> dict[str, list[int]]:
    """The currencies in which credits are sold, with the amounts that are offered in each; the business's own first."""
    row = await ctx.db.fetchrow(CURRENCIES, ctx.tenant_id)
    if row is None:
        return {}
    usual = {row["own"]: [rules.minor(whole, row["own"]) for whole in (100, 250, 500)]} if not rules.packages else {}
    return {currency: [] for currency in (row["own"], *sorted(row["here"]))} | usual | rules.packages

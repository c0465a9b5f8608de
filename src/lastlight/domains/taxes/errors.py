"""Refusals of taxes, and the rules of the database that they stand for."""

from lastlight.kernel.errors import Conflict


class TaxCategoryTaken(Conflict):
    """Two categories cannot share a code or a name, or nobody knows which is meant."""

    type = "tax-category-taken"
    title = "Another category has this name or code"
    default_detail = "Choose another name and code, or take the other one back from the archive."


class TaxCategoryArchived(Conflict):
    """An archived category gets no new rates."""

    type = "tax-category-archived"
    title = "This category is archived"
    default_detail = "Take it back from the archive first."


class TaxCategoryExempt(Conflict):
    """What is exempt bears no tax, so it has no rates."""

    type = "tax-category-exempt"
    title = "This category is exempt from tax"
    default_detail = "Make another category for what is taxed, and give that one the rate."


class TaxRateOverlaps(Conflict):
    """Two rates of one name at one place cannot apply on the same day."""

    type = "tax-rate-overlaps"
    title = "A rate of this name applies on those days already"
    default_detail = "End the other rate the day before, or give this one another name."


class TaxRateOver(Conflict):
    """Days that are over keep the rates that they had."""

    type = "tax-rate-over"
    title = "Days that are over keep their rates"
    default_detail = "Choose today or a later day; end the rate that is in force, and start another."


class TaxRateWithdrawnAlready(Conflict):
    """What was withdrawn never counted, and does not change any more."""

    type = "tax-rate-withdrawn"
    title = "This rate was withdrawn"
    default_detail = "Add another rate."


class TaxNotSetUp(Conflict):
    """Nobody said which tax is on a category at a venue on a day; to guess would be wrong either way."""

    type = "tax-not-set-up"
    title = "No tax rate applies"
    default_detail = "Add a rate under Taxes, or use a category that is exempt."


ERRORS = (
    TaxCategoryTaken,
    TaxCategoryArchived,
    TaxCategoryExempt,
    TaxRateOverlaps,
    TaxRateOver,
    TaxRateWithdrawnAlready,
    TaxNotSetUp,
)
CONSTRAINTS = {
    "tax_categories_code_taken": TaxCategoryTaken,
    "tax_categories_name_taken": TaxCategoryTaken,
    "tax_rates_overlap": TaxRateOverlaps,
    "tax_rates_fixed": TaxRateOver,
}

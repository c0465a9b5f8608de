"""How amounts are divided where nobody thought of it: for the negative controls of what divides them."""

from collections.abc import Sequence


def naive_split(total: int, weights: Sequence[int]) -> list[int]:
    """Each share rounded by itself."""
    return [round(total * weight / sum(weights)) for weight in weights]


def naive_tax(numerator: int, denominator: int) -> int:
    """Rounded down, so that what is taken back is not what was charged."""
    return numerator // denominator

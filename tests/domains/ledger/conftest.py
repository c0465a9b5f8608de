"""A business with a ledger, on a real database as the app's own role."""

from collections.abc import AsyncGenerator

import pytest

from lastlight.runtime.settings import Settings
from tests.support.books import Books, opened_books


@pytest.fixture(scope="module")
async def books(database_settings: Settings) -> AsyncGenerator[Books]:
    """The books of one business."""
    async with opened_books(database_settings) as opened:
        yield opened

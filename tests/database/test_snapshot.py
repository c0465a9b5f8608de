"""migrations/schema.sql is what the migrations make."""

import difflib
from pathlib import Path

import pytest

from lastlight.runtime.db.migrate import migrations_folder
from lastlight.runtime.settings import Settings
from lastlight.runtime.supervision.migration import schema_text
from tests.support.services import administer

pytestmark = pytest.mark.database

KEPT: Path = migrations_folder() / "schema.sql"


async def test_the_snapshot_is_up_to_date(database_settings: Settings) -> None:
    made, kept = await schema_text(database_settings), KEPT.read_text()
    difference = "\n".join(difflib.unified_diff(kept.splitlines(), made.splitlines(), "kept", "made", n=0, lineterm=""))
    assert made == kept, f"migrations/schema.sql is stale: run `make snapshot`.\n{difference}"


@pytest.mark.parametrize(
    "change",
    [
        "alter table venues add column bell text",
        "alter table venues alter column name drop not null",
        "alter table venues drop constraint venues_capacity_positive",
        "create index venues_by_bell on venues (tenant_id, capacity)",
        "drop policy guest_inserts on venues",
        "alter table venues no force row level security",
        "grant delete on venues to lastlight_app",
        "grant update (email) on users to lastlight_app",
        "grant execute on function ll.append_only() to lastlight_app",
        "create or replace function ll.tenant_id() returns uuid language sql stable parallel safe as 'select null::uuid'",
        "drop trigger venues_touch on venues",
        "grant usage on schema ll to public",
        "comment on column venues.name is 'personal: name'",
        "comment on table venues is 'bars'",
    ],
)
async def test_no_change_escapes_it(fresh_database: Settings, change: str) -> None:
    before = await schema_text(fresh_database)
    await administer(fresh_database, change)
    assert await schema_text(fresh_database) != before

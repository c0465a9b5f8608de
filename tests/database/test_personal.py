"""What is personal is marked in the schema; no column and no field of a request is made for card data; secrets lie as digests or sealed."""

import re
from typing import Any

import asyncpg
import msgspec
import pytest

from lastlight.modules import MODULES
from lastlight.runtime.http.operation import structs_of
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import Settings

COLUMNS = """
select c.relname || '.' || a.attname as name, a.attname as word, format_type(a.atttypid, a.atttypmod) as kind,
       coalesce(col_description(c.oid, a.attnum), '') as remark
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_namespace s on s.oid = c.relnamespace
where s.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1
"""
PERSONAL = re.compile(
    r"(^|_)(email|phone|ip|user_agent|birth|name|label|latitude|longitude|address|recipient|contact|note|reason|body|"
    r"answer|photo|detail|comment)(_|$)"
)
CARD = re.compile(
    r"(^|_)(card_?(number|no|holder)?|pan|cvv2?|cvc2?|csc|magstripe|track[12]?|exp(iry)?_(month|year))(_|$)",
    re.IGNORECASE,
)
SECRET = re.compile(r"(^|_)(password|passwd|secret|token|pin|otp)$")
NOBODYS = {
    "audit_entries.name": "an event's name; who and what stand sealed in its payload",
    "events.name": "an event's name",
    "outbox.name": "an event's name",
    "device_alerts.detail": "what a device says of itself",
    "devices.name": "a thing's name",
    "disputes.reason": "a bank's word, one of a list",
    "devices.maintenance_reason": "about a thing",
    "devices.revoked_reason": "about a thing",
    "feature_flags.killed_reason": "about a feature",
    "idempotency_keys.body": "an answer of the API, kept for a day",
    "jobs.progress_note": "what a job does just now",
    "resources.name": "a thing's name",
    "resources.status_reason": "about a thing",
    "roles.name": "a role's name",
    "safety_alerts.clear_reason": "about a venue",
    "saved_views.name": "what a list is called",
    "schema_migrations.name": "a file's name",
    "secret_sightings.name": "a setting's name",
    "sessions.revoked_reason": "one of our own sentences",
    "tax_categories.name": "what is sold",
    "tax_rates.name": "a tax's name",
    "tenant_brands.logo_reason": "about a picture's file",
    "tenant_flags.reason": "about a business",
    "tenants.name": "a business's name",
    "tenants.note": "about a business",
    "tenants.status_reason": "about a business",
    "users.email_verified_at": "a moment",
    "venue_banners.body": "an advertisement",
    "venue_images.state_reason": "about a picture's file",
    "venue_images.moderation_reason": "about a picture",
    "venues.name": "a place's name",
    "venues.address": "a place's address",
    "venues.latitude": "a place's position",
    "venues.longitude": "a place's position",
    "venues.publication_reason": "about a venue",
    "venues.status_reason": "about a venue",
}
"""Columns that sound like a person's and are nobody's, each with its reason."""


@pytest.fixture
async def columns(database_settings: Settings) -> list[Any]:
    """Every column of the database as it stands."""
    connection: Any = await asyncpg.connect(database_settings.admin_dsn())
    try:
        return await connection.fetch(COLUMNS)
    finally:
        await connection.close()


def unmarked(columns: list[Any]) -> list[str]:
    """The columns that sound like a person's, are not marked as such, and of which nobody says why."""
    return [
        row["name"]
        for row in columns
        if PERSONAL.search(row["word"]) and not row["remark"].startswith("personal") and row["name"] not in NOBODYS
    ]


@pytest.mark.database
async def test_what_is_personal_is_marked(columns: list[Any]) -> None:
    assert unmarked(columns) == [], "comment on column … is 'personal: …', or name it in NOBODYS"
    assert set(NOBODYS) <= {row["name"] for row in columns}, "a column that is gone"
    assert unmarked([{"name": "offenders.email", "word": "email", "remark": ""}]) == ["offenders.email"]


@pytest.mark.database
async def test_no_column_is_made_for_card_data(columns: list[Any]) -> None:
    assert [row["name"] for row in columns if CARD.search(row["word"])] == []
    assert all(CARD.search(word) for word in ("card_number", "pan", "cvv", "exp_month", "track2", "guest_card"))
    assert not any(CARD.search(word) for word in ("discard", "company", "expires_at", "span", "tracked"))


def test_no_field_of_a_request_is_made_for_card_data() -> None:
    fields: set[str] = set()
    for op in Registry(MODULES).operations:
        for parameter in op.parameters:
            if parameter.source in {"data", "query", "form"}:
                for struct in structs_of(parameter.kind, set()):
                    fields |= {field.encode_name for field in msgspec.structs.fields(struct)}
    assert len(fields) > 100
    assert [name for name in sorted(fields) if CARD.search(name)] == []


@pytest.mark.database
async def test_secrets_lie_as_digests_or_sealed(columns: list[Any]) -> None:
    """A column that is called a secret holds bytes; what is readable text is called a hash, or is none."""
    assert [row["name"] for row in columns if SECRET.search(row["word"]) and row["kind"] != "bytea"] == []

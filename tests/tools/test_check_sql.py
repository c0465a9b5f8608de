"""The rules of SQL: what names its tenant passes, what does not is found."""

import pytest

from tools.check_sql import judge, main, tenant_tables, texts_of

TABLES = frozenset({"bells", "towers"})


def found_in(source: str) -> list[str]:
    """What is wrong with the SQL of a module."""
    return [sentence for text in texts_of(source) for sentence in judge(text, TABLES)]


NAMED = (
    "select id from bells where tenant_id = $1",
    "select id from bells where id = $2 and tenant_id = any($1::uuid[])",
    "select b.id from bells b join towers t on t.tenant_id = b.tenant_id and t.id = b.tower_id where b.tenant_id = $1",
    "select b.id from bells b join towers t using (tenant_id, tower_id) where b.tenant_id = $1",
    "select b.id from bells b left join towers t on (t.tenant_id, t.id) = (b.tenant_id, b.tower_id) where b.tenant_id = $1",
    "select (select count(*) from bells b where b.tenant_id = t.tenant_id) from towers t where t.tenant_id = $1",
    "insert into bells (tenant_id, name) values ($1, $2) on conflict do nothing",
    "insert into bells (tenant_id, name) select tenant_id, name from towers where tenant_id = $1",
    "update bells set name = $3 where tenant_id = $1 and id = $2 returning id",
    "update bells b set name = t.name from towers t where b.tenant_id = $1 and t.tenant_id = b.tenant_id and t.id = b.tower_id",
    "update bells set n = 1 where tenant_id = $1 and id in (select id from bells where tenant_id = $1 limit 5 for update skip locked)",
    "delete from bells where tenant_id = $1",
    "delete from bells b using unnest($1::uuid[], $2::uuid[]) as gone (tenant_id, id) where b.tenant_id = gone.tenant_id and b.id = gone.id",
    "with loud as (select id from bells where tenant_id = $1) select id from loud",
    "select bells from other_things",
)
UNNAMED = (
    "select id from bells",
    "select id, tenant_id from bells where id = $1",
    "select id from bells where tenant_id is not null",
    "select id from bells order by tenant_id",
    "select b.id from bells b join towers t on t.id = b.tower_id where b.tenant_id = $1",
    "select b.id from bells b join towers t on t.tenant_id = b.tenant_id",
    "select (select count(*) from bells b where b.tower_id = t.id) from towers t where t.tenant_id = $1",
    "select id from towers where tenant_id = $1 and exists (select from bells where tower_id = towers.id)",
    "insert into bells (name) values ($1)",
    "insert into bells (tenant_id, name) select $1, name from towers",
    "update bells set tenant_id = $1",
    "update bells set name = $2 where id = $1",
    "delete from bells",
    "delete from bells where id in (select id from bells where tenant_id = $1)",
    "with loud as (select id from bells) select id from loud",
    "select id from bells where tenant_id = $1 union all select id from bells",
)


@pytest.mark.parametrize("sql", NAMED)
def test_a_statement_that_names_its_tenant_passes(sql: str) -> None:
    assert found_in(f"SQL = {sql!r}") == []


@pytest.mark.parametrize("sql", UNNAMED)
def test_a_statement_that_does_not_is_found(sql: str) -> None:
    assert found_in(f"SQL = {sql!r}") != []


def test_a_reason_above_allows_every_tenant() -> None:
    sql = 'SQL = "select id from bells"'
    assert found_in(f"# every tenant: the relay moves all of them\n{sql}") == []
    assert found_in(f"# every tenant:\n{sql}") != []
    assert found_in(f"# every tenant: another one\nOTHER = 1\n{sql}") != []


def test_what_is_composed_of_values_is_found() -> None:
    call = "async def read(ctx, name):\n    return await ctx.db.fetch({})"
    assert found_in(call.format("f\"select 1 from plain where name = '{name}'\"")) != []
    assert found_in(call.format("'select 1 from plain where name = ' + name")) != []
    assert found_in(call.format('"select 1 from plain where name = $1", name')) == []
    reason = "async def read(ctx, order):\n    # composed: the order is one of two constants\n    return await ctx.db.fetch({})"
    assert found_in(reason.format('f"select 1 from plain order by {order}"')) == []


def test_a_constant_is_judged_where_its_statement_is_whole() -> None:
    head = 'BELL = "select b.id from bells b"\n'
    assert found_in(f'{head}ONE = f"{{BELL}} where b.tenant_id = $1"') == []
    assert found_in(f'{head}ONE = f"{{BELL}} where b.id = $1"') != []
    assert found_in(head) != []


def test_a_listing_says_its_tenant_and_that_of_each_table_it_joins() -> None:
    listing = 'BELLS = Listing(name="bells", source="bells b join towers t on {}", of="b")'
    assert found_in(listing.format("t.tenant_id = b.tenant_id and t.id = b.tower_id")) == []
    assert found_in(listing.format("t.id = b.tower_id")) == ["towers is used without its tenant_id"]
    assert found_in('BELLS = Listing(name="bells", source="bells b", of="b", tenant="b.id")') != []


def test_an_update_may_not_be_random() -> None:
    assert found_in('SQL = "update bells set n = random() where tenant_id = $1"') != []


def test_the_tables_come_from_the_migrations_and_the_code_keeps_the_rule() -> None:
    assert {"venues", "visits", "outbox", "memberships"} <= tenant_tables()
    assert "users" not in tenant_tables()
    assert main() == 0

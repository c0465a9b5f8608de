"""The pages of tables and of entities."""

import re
from collections.abc import Iterable, Iterator

from lastlight.reference.markdown import code, codes, facts, link, page, table
from lastlight.reference.schema import Table, entity_diagram
from lastlight.runtime.module import Registry

INTRO = """\
The database as the [migrations](../../migrations) make it, from its snapshot. A business's rows carry its `tenant_id` first in every key, and forced
policies show each transaction only the tenant that it has set; restrictive policies show a guest only what is theirs. The roles that sign in:
`lastlight_app` serves requests, `lastlight_system` signs people in and runs the relay and jobs, `lastlight_platform` serves the crew, who read across
businesses and write inside the one they have entered, `lastlight_looker` reads for inspection, `lastlight_migrator` migrates. `lastlight_owner` owns everything and
does not sign in. The marks: **personal** is what an export or an erasure of a person concerns."""
ENTITIES_INTRO = """\
The tables that refer to each other, with the columns that tie them. Every reference inside a business carries `tenant_id` too, so that no row can refer
to another business's. [Tables](tables.md) tells the rest."""
GUESTS = {
    "own": "reads and writes what is their own",
    "read": "reads, writes nothing",
    "append": "adds and reads, changes nothing",
    "none": "sees nothing",
}


def tables_page(tables: list[Table], registry: Registry) -> str:
    """Every table: columns, keys, policies, grants."""
    return page("Tables", INTRO, (part for described in tables for part in _table(described, registry)))


def entities_page(tables: list[Table]) -> str:
    """The entity diagram."""
    return page("Entities", ENTITIES_INTRO, [f"```mermaid\n{entity_diagram(tables)}\n```"])


def _table(described: Table, registry: Registry) -> Iterable[str]:
    yield f"## {described.name}"
    yield f"{described.remark[:1].upper()}{described.remark[1:]}." if described.remark else ""
    yield facts(
        [
            ("Key", codes(described.primary_key())),
            ("Kind", described.traits),
            ("Refers to", ", ".join(_references(described))),
            ("May", "; ".join(_privileges(described))),
            ("Watched by", ", ".join(_triggers(described))),
        ]
    )
    yield table(
        ["column", "type", "default", "meaning"],
        (
            (
                code(c.name),
                c.kind + ("" if c.required else ", may be null"),
                code(c.default) if c.default else "",
                _remark(c.remark),
            )
            for c in described.columns
        ),
    )
    yield table(["constraint", "rule", "refused with"], _constraints(described, registry))
    yield table(["index", "on"], _indexes(described))
    yield table(["policy", "for", "rows"], map(_policy, described.policies))


def _references(described: Table) -> Iterator[str]:
    for key in described.foreign_keys():
        columns = [column for column in key.columns if column != "tenant_id"] or ["tenant_id"]
        yield f"{link(key.table)} by {codes(columns)}"


def _remark(text: str) -> str:
    mark, colon, rest = text.partition(": ")
    return f"**{mark}:** {rest}" if colon and mark == "personal" else text


def _constraints(described: Table, registry: Registry) -> Iterator[tuple[str, str, str]]:
    for line in described.constraints:
        name, _, rule = line.partition(" ")
        yield code(name), code(rule), _problem(name, registry)


def _indexes(described: Table) -> Iterator[tuple[str, str, str]] | Iterator[tuple[str, str]]:
    for line in described.indexes:
        match = re.match(r"CREATE (?:UNIQUE )?INDEX (\w+) ON \S+ USING (.*)$", line)
        if match:
            unique = "unique " if " UNIQUE " in line else ""
            yield code(match[1]), unique + code(match[2])


def _problem(name: str, registry: Registry) -> str:
    problem = registry.constraints.get(name)
    return link(problem.type, page="errors") if problem else ""


def _privileges(described: Table) -> Iterator[str]:
    for line in described.privileges:
        who, _, what = line.partition(" may ")
        yield f"{code(who)} {what}"


def _triggers(described: Table) -> Iterator[str]:
    for line in described.triggers:
        match = re.match(r"CREATE (?:CONSTRAINT )?TRIGGER (\w+) (BEFORE|AFTER|INSTEAD OF) (.*?) ON ", line)
        if match:
            yield f"{code(match[1])} ({match[2].lower()} {match[3].lower()})"


def _policy(line: str) -> tuple[str, str, str]:
    """`name permissive all to role using (…) check (…)` as what it lets pass or keeps back."""
    match = re.match(r"(\w+) (permissive|restrictive) (\w+) to (.*?) using \((.*)\) check \((.*)\)$", line)
    assert match, line
    name, nature, command, roles, using, check = match.groups()
    words = [
        f"sees {code(_plain(using))}" if using else "",
        f"writes {code(_plain(check))}" if check and check != using else "",
    ]
    only = "only " if nature == "restrictive" else ""
    return (
        code(name),
        f"{roles} ({'everything' if command == 'all' else command})",
        only + ", ".join(w for w in words if w),
    )


def _plain(rule: str) -> str:
    """A rule as it is written, without what PostgreSQL adds to it."""
    plain = re.sub(r"\( SELECT (ll\.\w+\(\)) AS \w+\)", r"\1", rule)
    while plain.startswith("(") and plain.endswith(")") and _pairs(plain[1:-1]):
        plain = plain[1:-1]
    return plain


def _pairs(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            return False
    return depth == 0

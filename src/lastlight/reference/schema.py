"""The schema, read from migrations/schema.sql, which a test keeps equal to the migrated database."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

TABLE = re.compile(r"^-- (?P<name>[\w.]+)(?: \((?P<traits>[^)]*)\))?(?:: (?P<remark>.*))?$")
COLUMN = re.compile(r"^(?P<name>\w+) (?P<rest>.*)$")
SECTIONS = ("constraints", "indexes", "policies", "privileges", "triggers", "functions")
FOREIGN = re.compile(
    r"^(?P<name>\w+) FOREIGN KEY \((?P<columns>[^)]*)\) REFERENCES (?P<table>[\w.]+)\((?P<keys>[^)]*)\)(?P<more>.*)$"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its type with what follows it, whether it must be given, what is said of it."""

    name: str
    kind: str
    required: bool
    default: str
    remark: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference to another table."""

    name: str
    columns: tuple[str, ...]
    table: str
    optional: bool


@dataclass(slots=True)
class Table:
    """A table with all that the schema says of it, one line for each thing."""

    name: str
    traits: str
    remark: str
    columns: list[Column] = field(default_factory=list[Column])
    constraints: list[str] = field(default_factory=list[str])
    indexes: list[str] = field(default_factory=list[str])
    policies: list[str] = field(default_factory=list[str])
    privileges: list[str] = field(default_factory=list[str])
    triggers: list[str] = field(default_factory=list[str])

    def primary_key(self) -> tuple[str, ...]:
        """The columns of its primary key."""
        found = (re.search(r" PRIMARY KEY \(([^)]*)\)", line) for line in self.constraints)
        return next((tuple(match[1].split(", ")) for match in found if match), ())

    def foreign_keys(self) -> list[ForeignKey]:
        """Its references, by name."""
        free = {column.name for column in self.columns if not column.required}
        matches = (FOREIGN.match(line) for line in self.constraints)
        return [
            ForeignKey(
                match["name"], (columns := tuple(match["columns"].split(", "))), match["table"], bool(free & {*columns})
            )
            for match in matches
            if match
        ]


def read_schema(text: str) -> list[Table]:
    """The tables of a snapshot, by name."""
    tables: dict[str, Table] = {}
    section, table = "", None
    for line in _whole_lines(text)[1:]:
        if line.startswith("--   "):
            body = line.removeprefix("--   ")
            if section:
                _file(tables, section, body)
            elif table is not None:
                table.columns.append(_column(body))
        elif line.removeprefix("-- ") in SECTIONS:
            section = line.removeprefix("-- ")
        elif match := TABLE.match(line):
            table = Table(match["name"], match["traits"] or "", match["remark"] or "")
            tables[table.name] = table
    return sorted(tables.values(), key=lambda table: table.name)


def _whole_lines(text: str) -> list[str]:
    """The lines of a snapshot; a rule that was written over several becomes one."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith("--") or not line or not found:
            found.append(line)
        else:
            found[-1] += " " + line.strip()
    return found


def _column(body: str) -> Column:
    words, _, remark = body.partition(" -- ")
    match = COLUMN.match(words)
    assert match, body
    rest, _, default = match["rest"].partition(" default ")
    required = rest.endswith(" not null") or " not null " in rest
    kind = rest.replace(" not null", "")
    return Column(match["name"], kind, required, default, remark)


def _file(tables: Mapping[str, Table], section: str, body: str) -> None:
    """Put a line under its table."""
    name, rest = _owner(section, body)
    if name in tables and section != "functions":
        getattr(tables[name], section).append(rest)


def _owner(section: str, body: str) -> tuple[str, str]:
    match section:
        case "constraints" | "policies":
            place, _, rest = body.partition(" ")
            table, _, name = place.rpartition(".")
            return table, f"{name} {rest}"
        case "privileges":
            table, _, rest = body.partition(": ")
            return table, rest
        case _:
            found = re.search(r" ON (?:ONLY )?([\w.]+)", body)
            return (found[1].removeprefix("public.") if found else ""), body


def entity_diagram(tables: list[Table]) -> str:
    """A Mermaid diagram of the tables that refer to each other, with their keys."""
    lines = ["erDiagram"]
    drawn = {table.name for table in tables if table.foreign_keys()} | {
        key.table for table in tables for key in table.foreign_keys()
    }
    for table in (table for table in tables if table.name in drawn):
        lines += [f"  {table.name} {{", *_attributes(table), "  }"]
    for table in tables:
        for key in table.foreign_keys():
            near = "o|" if key.optional else "||"
            what = ", ".join(column for column in key.columns if column != "tenant_id") or "tenant_id"
            lines.append(f'  {key.table} {near}--o{{ {table.name} : "{what}"')
    return "\n".join(lines)


def _attributes(table: Table) -> Iterator[str]:
    """The key columns and the references of a table: what the lines of the diagram hang on."""
    primary = set(table.primary_key())
    foreign = {column for key in table.foreign_keys() for column in key.columns}
    for column in table.columns:
        marks = [mark for mark, names in (("PK", primary), ("FK", foreign)) if column.name in names]
        if marks:
            yield f"    {re.sub(r'[^a-z0-9_]+', '_', column.kind.split(' ')[0])} {column.name} {', '.join(marks)}"

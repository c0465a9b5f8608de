"""Every statement on a tenant table names its tenant: `python tools/check_sql.py` lists those that do not, and fails.

Row-level security keeps tenants apart but does not route a statement; the predicate does (SCALE.md). A statement that is meant for
all tenants says so right above it: `# every tenant: <reason>`. SQL is not built from values: an f-string may hold upper-case
constants, and anything else only under `# composed: <reason>`.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

ROOT = Path(__file__).parents[1]
STATEMENT = re.compile(r"^\s*(select|insert\s+into|update|delete\s+from|with)\s", re.IGNORECASE)
DECLARED = re.compile(r"ll\.tenant_table\(\s*'(\w+)'")
EVERY_TENANT = re.compile(r"#\s*every tenant: \S.*")
COMPOSED = re.compile(r"#\s*composed: \S.*|#\s*noqa: S608\b.*\s-\s*\S.*")
HOLE = "composed_piece"


@dataclass(frozen=True, slots=True)
class Text:
    """A string in the code that reads as SQL, with holes where it is composed."""

    sql: str
    line: int
    composed: bool
    remarks: str
    """The comments above it and beside it."""


def main() -> int:
    """Print every breach and return the exit status."""
    tables = tenant_tables()
    found = [
        breach for path in sorted((ROOT / "src" / "lastlight").rglob("*.py")) for breach in breaches_of(path, tables)
    ]
    for breach in found:
        print(breach)
    print(f"sql: {len(found)} breaches" if found else "sql: kept")
    return 1 if found else 0


def tenant_tables() -> frozenset[str]:
    """The tables that the migrations give a tenant."""
    return frozenset(
        name for path in (ROOT / "migrations").glob("*.sql") for name in DECLARED.findall(path.read_text())
    )


def breaches_of(path: Path, tables: frozenset[str]) -> list[str]:
    """The breaches in one file, each as `path:line: sentence`."""
    place = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    source = path.read_text()
    return [f"{place}:{text.line}: {sentence}" for text in texts_of(source) for sentence in judge(text, tables)]


def judge(text: Text, tables: frozenset[str]) -> Iterator[str]:
    """What is wrong with one statement."""
    if text.composed and not COMPOSED.search(text.remarks):
        yield "SQL is composed here; use parameters, or say why above it: # composed: <reason>"
    if not any(re.search(rf"\b{table}\b", text.sql) for table in tables):
        return
    if re.search(r"\bupdate\b[^;]*\brandom\s*\(", text.sql, re.IGNORECASE):
        yield "an update is random(): every copy of the row would get another value"
    if not EVERY_TENANT.search(text.remarks):
        yield from (f"{table} is used without its tenant_id" for table in without_tenant(text.sql, tables))


# --- from code to statements ------------------------------------------------------------------------------------------


def texts_of(source: str) -> Iterator[Text]:
    """The SQL in a module's strings, listings' from-clauses included."""
    tree = ast.parse(source)
    lines = source.splitlines()
    constants = dict(_constants(tree))
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    pieces = set(_pieces(tree, constants))
    for statement, node in _strings(tree):
        if id(node) in documented:
            continue
        sql, composed = _spell(node, constants)
        if STATEMENT.match(sql) and not (isinstance(statement, ast.Assign | ast.AnnAssign) and sql in pieces):
            yield Text(sql, node.lineno, composed, _remarks(lines, statement, node))
    for statement, node in _listings(tree):
        given = {word.arg: _spell(word.value, constants)[0] for word in node.keywords if word.arg}
        if "source" in given:
            tenant = given.get("tenant") or f"{given.get('of', HOLE)}.tenant_id"
            sql = " ".join(("select 1 from", given["source"], "where", tenant, "= $1"))
            yield Text(sql, node.lineno, composed=False, remarks=_remarks(lines, statement, node))


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Upper-case names of the module and their texts."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield target.id, value.value


def _pieces(tree: ast.Module, constants: Mapping[str, str]) -> Iterator[str]:
    """Texts of constants that are only the beginning of statements composed elsewhere in the module; those are judged."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr | ast.BinOp) and _is_composed_of_names(node):
            yield from (constants[n.id] for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in constants)


def _is_composed_of_names(node: ast.JoinedStr | ast.BinOp) -> bool:
    return isinstance(node, ast.JoinedStr) or isinstance(node.op, ast.Add)


def _strings(tree: ast.Module) -> Iterator[tuple[ast.stmt, ast.expr]]:
    """Each whole string expression with the statement that it stands in."""
    inside: set[int] = set()
    for statement in (node for node in ast.walk(tree) if isinstance(node, ast.stmt)):
        for node in _own_expressions(statement):
            if id(node) in inside or not isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
                continue
            if _is_text(node):
                inside |= {id(child) for child in ast.walk(node)}
                yield statement, node


def _own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement, outermost first, without those of the statements in its body."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.expr):
            yield node
        waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add) and (_is_text(node.left) or _is_text(node.right))
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _spell(node: ast.expr, constants: Mapping[str, str]) -> tuple[str, bool]:
    """A string's text, and whether it is composed of more than constants."""
    if isinstance(node, ast.Constant):
        return str(node.value), False
    if isinstance(node, ast.FormattedValue):
        return _spell(node.value, constants)
    if isinstance(node, ast.Name) and node.id.isupper():
        return constants.get(node.id, HOLE), False
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        parts = [
            _spell(p, constants) for p in (node.values if isinstance(node, ast.JoinedStr) else (node.left, node.right))
        ]
        return "".join(text for text, _ in parts), any(composed for _, composed in parts)
    return HOLE, True


def _listings(tree: ast.Module) -> Iterator[tuple[ast.stmt, ast.Call]]:
    for statement in (node for node in ast.walk(tree) if isinstance(node, ast.stmt)):
        for node in _own_expressions(statement):
            if isinstance(node, ast.Call) and _called(node) == "Listing":
                yield statement, node


def _called(node: ast.Call) -> str:
    function = node.func.value if isinstance(node.func, ast.Subscript) else node.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _remarks(lines: list[str], statement: ast.stmt, node: ast.expr) -> str:
    first = min(statement.lineno, node.lineno)
    above = first - 1
    while above > 0 and lines[above - 1].lstrip().startswith("#"):
        above -= 1
    last = node.end_lineno or node.lineno
    return "\n".join(lines[above : last + 1])


# --- from statements to breaches --------------------------------------------------------------------------------------


def without_tenant(sql: str, tables: frozenset[str]) -> list[str]:
    """The tenant tables that a text uses without their tenant."""
    try:
        statements = [statement for statement in sqlglot.parse(sql, read="postgres") if statement is not None]
    except SqlglotError:
        return _without_tenant_by_words(sql, tables)
    return [name for statement in statements for name in _unnamed(statement, tables)]


def _without_tenant_by_words(sql: str, tables: frozenset[str]) -> list[str]:
    """For what the parser does not know: every statement that mentions a table also says tenant_id."""
    said = re.search(r"\btenant_id\b", sql)
    return [] if said else sorted(table for table in tables if re.search(rf"\b{table}\b", sql))


def _unnamed(statement: exp.Expr, tables: frozenset[str]) -> Iterator[str]:
    named = {cte.alias for cte in statement.find_all(exp.CTE)}
    for table in statement.find_all(exp.Table):
        if table.name in tables and table.name not in named and not table.db:
            scope = table.find_ancestor(exp.Select, exp.Update, exp.Delete, exp.Insert)
            if scope is not None and not _is_named(table, scope):
                yield table.name


def _is_named(table: exp.Table, scope: exp.Expr) -> bool:
    if isinstance(scope, exp.Insert):
        return any(column.name == "tenant_id" for column in scope.this.find_all(exp.Identifier))
    return table.alias_or_name in _grounded(scope)


def _grounded(scope: exp.Expr) -> set[str]:
    """The tables of a select, update or delete whose tenant is compared with a value, an outer table, or each other's."""
    mine = {table.alias_or_name for table in _tables(scope)}
    sure: set[str] = set()
    pairs: list[tuple[str, str]] = []
    for comparison in _comparisons(scope):
        sides = [_tenant_of(side, mine) for side in (comparison.this, comparison.expression)]
        names = [side for side in sides if side]
        if len(names) == 2 and set(names) <= mine:
            pairs.append((names[0], names[1]))
        else:
            sure |= {name for name in names if name in mine}
    pairs += _shared(scope)
    for _ in pairs:
        sure |= {name for pair in pairs if sure & set(pair) for name in pair}
    return sure


def _tables(scope: exp.Expr) -> Iterator[exp.Table | exp.Subquery]:
    for node in scope.find_all(exp.Table, exp.Subquery):
        if node.alias_or_name and node.find_ancestor(exp.Select, exp.Update, exp.Delete, exp.Insert) is scope:
            yield node


def _comparisons(scope: exp.Expr) -> Iterator[exp.Binary | exp.In]:
    for node in scope.find_all(exp.EQ, exp.In, exp.NullSafeEQ):
        assigned = isinstance(scope, exp.Update) and node.parent is scope
        if not assigned and node.find_ancestor(exp.Select, exp.Update, exp.Delete, exp.Insert) is scope:
            yield from _columnwise(node)


def _columnwise(node: exp.Expr) -> Iterator[exp.Binary | exp.In]:
    """A comparison of rows as comparisons of their columns."""
    left, right = node.this, node.args.get("expression")
    if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
        yield from (exp.EQ(this=a, expression=b) for a, b in zip(left.expressions, right.expressions, strict=False))
    elif isinstance(left, exp.Tuple):
        yield from (exp.EQ(this=a, expression=exp.Null()) for a in left.expressions)
    elif isinstance(node, exp.In):
        yield exp.EQ(this=left, expression=exp.Null())
    elif isinstance(node, exp.Binary):
        yield node


def _tenant_of(side: exp.Expr | None, mine: set[str]) -> str:
    """The table whose tenant_id this side is; an unqualified one is the only table's."""
    if not isinstance(side, exp.Column) or side.name != "tenant_id":
        return ""
    return side.table or next(iter(mine), "")


def _shared(scope: exp.Expr) -> list[tuple[str, str]]:
    """Tables joined by using (tenant_id, …)."""
    pairs: list[tuple[str, str]] = []
    joins: list[exp.Join] = scope.args.get("joins") or []
    for join in joins:
        columns: list[exp.Identifier] = join.args.get("using") or []
        if any(column.name == "tenant_id" for column in columns):
            pairs += [(join.alias_or_name, table.alias_or_name) for table in _tables(scope)]
    return pairs


if __name__ == "__main__":
    sys.exit(main())

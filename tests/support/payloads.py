"""Texts that try to run where they are shown, written into every text field, and what must not be found where they come out."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import msgspec
from openpyxl import load_workbook

from lastlight.runtime.auth.actors import load_actor
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from lastlight.runtime.exports.cells import STEERING, cells_of
from lastlight.runtime.exports.formats import open_writer
from lastlight.runtime.http.operation import Operation
from tests.contracts.probes import good_call
from tests.support.calls import OPERATIONS, Call, decoded_problem, send
from tests.support.hostile import asker_of, hints_of, leaves
from tests.support.world import World, decoded

PAYLOADS = (
    '"><x-pwn onclick=xss()><svg/onload=xss()>',
    "'><img src=x onerror=xss() class=x-pwn>",
    "</script><script>xss()</script><x-pwn>",
    "</title></textarea></style><x-pwn>",
    "<x-pwn hx-get=/health hx-trigger=load>",
    "javascript:xss()//x-pwn",
    "{{31337*31337}}${31337*31337}<%=31337*31337%>",
    '=HYPERLINK("http://x-pwn")',
    "@SUM(1)+x-pwn|' /C calc'!A0",
    "x\r\nX-Pwn: 1\r\nBEGIN:VEVENT\r\nX-PWN:1",
    "'-xss()-'`${xss()}`",
    "../../../etc/passwd\\..\\x-pwn",
)
PRODUCT = "982007569"
"""What a template engine would make of the product in one of them."""
KEPT_WELL = frozenset(
    {"password", "new_password", "current_password", "code", "token", "email", "contact_email", "time_zone", "locale"}
)
"""Fields without which the rest would not be taken."""


@dataclass(slots=True)
class Planted:
    """Where payloads stand: ids by the name that paths give them."""

    fields: int = 0
    taken: int = 0
    places: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    def note(self, op: Operation, call: Call, answer: Any) -> None:
        """Remember the things that an operation named or made."""
        for name, value in call.path.items():
            self.places.setdefault(name, []).append(value)
        made = decoded(answer)
        child = next((other for other in OPERATIONS.values() if other.path.startswith(f"{op.path}/{{")), None)
        if isinstance(made, dict) and "id" in made and child is not None:
            self.places.setdefault(next(iter(child.path_parameters())), []).append(made["id"])


async def plant(world: World, op: Operation, planted: Planted, payload: str) -> None:
    """Write a payload into every text field of an operation that takes it."""
    who = await asker_of(world, op)
    data, form = op.parameter("data"), op.parameter("form")
    if who is None or (data is None and form is None):
        return
    kind = data.kind if data is not None else get_args(form.kind if form is not None else None)[0]
    place = "body" if data is not None else "form"
    names = {name: text for name, hint in hints_of(kind).items() if (text := fitted(name, hint, payload))}
    planted.fields += len(names)
    for _ in range(3):
        if not names:
            return
        call = await good_call(world, op, who)
        sent = call.replaced(**{place: {**(getattr(call, place) or {}), **names}})
        answer = await send(world, sent, call.who or who)
        if answer.status_code < 400:
            planted.taken += len(names)
            planted.note(op, call, answer)
            return
        paths = decoded_problem(answer).get("fields", {})
        wrong = {str(path).split(".", 1)[0].split("[", 1)[0] for path in paths} or {*names}
        if not wrong & {*names}:
            return
        names = {name: text for name, text in names.items() if name not in wrong}


def fitted(name: str, hint: Any, payload: str) -> str:
    """The payload cut to what a field takes; empty where it takes no free text."""
    text = repr(hint)
    if str not in leaves(hint) or "Literal" in text or "pattern='" in text or "list[" in text or name in KEPT_WELL:
        return ""
    most = [meta.max_length for meta in _metas(hint) if meta.max_length is not None]
    return payload[: min(most)] if most else payload


def _metas(hint: Any) -> list[msgspec.Meta]:
    found = [arg for arg in get_args(hint) if isinstance(arg, msgspec.Meta)]
    return found + [meta for arg in get_args(hint) if not isinstance(arg, msgspec.Meta) for meta in _metas(arg)]


async def addresses(world: World, planted: Planted, pages: Sequence[Operation]) -> list[tuple[str, str]]:
    """(who, path) of each page on things that hold payloads, where there are such."""
    found: list[tuple[str, str]] = []
    for op in pages:
        who = await asker_of(world, op)
        if who is None:
            continue
        call = await good_call(world, op, who)
        if call.who is not None:
            continue
        held = {name: planted.places[name][-1] for name in call.path if name in planted.places and name != "tenant_id"}
        for path in ({**call.path, **held}, call.path):
            url = call.replaced(path=path).url + (
                "?" + "&".join(f"{a}={b}" for a, b in call.query.items()) if call.query else ""
            )
            found.append((who.name, url))
            if not held:
                break
    return found


async def steered(world: World, folder: Path) -> tuple[int, list[str]]:
    """Cells of every list's CSV and XLSX that a spreadsheet would take for formulas; how many cells were looked at."""
    services, owner, found, cells = world.people.services, world.somebody["A.owner"], list[str](), 0
    assert owner.session_id is not None
    reads: Any = services.pools.system
    actor = await load_actor(reads, services.registry, owner.session_id)
    for listing in services.registry.listings.values():
        if listing.cross_tenant or listing.own_user:
            continue
        async with unit_of_work(services, WorkScope(actor=actor, tenant_id=world.a.id)) as ctx:
            rows = (await listing.page(ctx, listing.parse(limit=200))).items
        for kind in ("csv", "xlsx"):
            path = folder / f"{listing.name}.{kind}"
            writer = open_writer(kind, path, cells_of(listing))
            writer.write(rows)
            writer.close()
            texts = _csv_cells(path) if kind == "csv" else _xlsx_cells(path)
            cells += len(texts)
            found += [
                f"{path.name}: {text[:60]!r}" for text in texts if text.startswith(STEERING) and not _is_number(text)
            ]
    return cells, found


def _csv_cells(path: Path) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")) for cell in row]


def _xlsx_cells(path: Path) -> list[str]:
    """Texts that are formulas to the program that opens the file; texts that are texts steer nothing there."""
    book: Any = load_workbook(path)
    return [
        str(cell.value) if cell.data_type == "f" else f" {cell.value}"
        for row in book.active.iter_rows()
        for cell in row
    ]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


async def mailed(world: World) -> tuple[int, list[str]]:
    """Mails that hold a payload as markup, or a line break where a header stands; how many were looked at."""
    await world.people.run_jobs()
    mails = await world.sql("select subject, recipient, body_html, body_text from outgoing_mail")
    found: list[str] = []
    for row in mails:
        if "<x-pwn" in row["body_html"] or "<svg/onload" in row["body_html"] or "<script>xss" in row["body_html"]:
            found.append(f"a mail's markup: {row['subject'][:60]}")
        if (
            PRODUCT in f"{row['subject']}{row['body_html']}{row['body_text']}"
            or "\n" in row["subject"] + row["recipient"]
        ):
            found.append(f"a mail's words: {row['subject']!r}")
    return len(mails), found

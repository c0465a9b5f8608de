"""One account inside one transaction: its objects, its clock, its settings, and who asks."""

import secrets
import sqlite3
import string
import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from lastlight.sandbox.problems import Json, missing
from lastlight.sandbox.store import as_text, body_of, row

PREFIXES: Mapping[str, str] = {
    "balance_transaction": "txn",
    "charge": "ch",
    "customer": "cus",
    "dispute": "du",
    "event": "evt",
    "payment_intent": "pi",
    "payment_method": "pm",
    "refund": "re",
    "setup_intent": "seti",
    "topup": "tu",
    "webhook_endpoint": "we",
}
KINDS: Mapping[str, str] = {prefix: kind for kind, prefix in PREFIXES.items()}
LATER_SECONDS = 5
_ALPHABET = string.ascii_letters + string.digits
_LETTERS = bytes(ord(_ALPHABET[byte % len(_ALPHABET)]) for byte in range(256))


@dataclass(slots=True)
class Desk:
    """What an operation works on; made anew for each transaction."""

    db: sqlite3.Connection
    account: str
    now: int
    settings: Json
    base: str
    request_id: str | None = None
    idempotency_key: str | None = None
    publishable: bool = False

    @property
    def later(self) -> int:
        """When what follows by itself happens: refunds that settle, disputes, verdicts."""
        return self.now + int(self.settings.get("later_seconds", LATER_SECONDS))


def desk_of(db: sqlite3.Connection, account: str, base: str) -> Desk:
    """The desk of an account, which is made when it is first named."""
    kept = "select ahead, settings from account where id = ?"
    found = row(db, kept, account)
    if found is None:
        db.execute("insert into account (id) values (?) on conflict do nothing", (account,))
        found = row(db, kept, account)
    assert found is not None
    return Desk(db, account, int(time.time()) + found["ahead"], msgspec.json.decode(found["settings"]), base)


def keep_settings(desk: Desk, **changed: object) -> None:
    """Remember settings of the account."""
    desk.settings |= changed
    desk.db.execute("update account set settings = ? where id = ?", (as_text(desk.settings), desk.account))


def fresh_id(prefix: str, length: int = 24) -> str:
    """An id that nobody can guess."""
    return f"{prefix}_" + secrets.token_bytes(length).translate(_LETTERS).decode()


def add(desk: Desk, kind: str, **values: object) -> Json:
    """A new object; names that begin with `_` never leave the sandbox."""
    body: Json = {"id": fresh_id(PREFIXES[kind]), "object": kind, "created": desk.now} | values
    desk.db.execute(
        "insert into object (account, id, kind, created, body) values (?, ?, ?, ?, ?)",
        (desk.account, body["id"], kind, desk.now, as_text(body)),
    )
    return body


def save(desk: Desk, body: Json) -> None:
    """Keep what was changed on an object."""
    desk.db.execute(
        "update object set body = ? where account = ? and id = ?", (as_text(body), desk.account, body["id"])
    )


def find(desk: Desk, kind: str, identifier: str) -> Json | None:
    """An object, or nothing."""
    found = row(
        desk.db, "select body from object where account = ? and id = ? and kind = ?", desk.account, identifier, kind
    )
    return None if found is None else body_of(found)


def get(desk: Desk, kind: str, identifier: str, *, param: str = "id") -> Json:
    """An object; raises what Stripe says when there is none."""
    found = find(desk, kind, identifier)
    if found is None:
        raise missing(kind, identifier, param=param)
    return found


def schedule(desk: Desk, due: int, name: str, subject: str) -> None:
    """Let something happen by itself when the account's clock reaches `due`; once for the same time, name and subject."""
    same = "select 1 from task where account = ? and due = ? and name = ? and subject = ?"
    if row(desk.db, same, desk.account, due, name, subject) is None:
        desk.db.execute(
            "insert into task (account, due, name, subject) values (?, ?, ?, ?)", (desk.account, due, name, subject)
        )


def merged(kept: Json, given: Mapping[str, str] | None) -> Json:
    """Metadata after a change: names are added and replaced, the empty text takes one away, nothing takes all."""
    if given is None:
        return {}
    return {name: value for name, value in (kept | dict(given)).items() if value != ""}

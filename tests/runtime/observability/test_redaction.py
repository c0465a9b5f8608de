"""No secret reaches a log, whatever it is called and wherever it stands."""

import io
import json
import logging
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import structlog

from lastlight.runtime.observability.errors import without_people, without_secrets
from lastlight.runtime.observability.logs import bind_request, clear_request, configure_logs
from lastlight.runtime.observability.redaction import HIDDEN, clean, clean_text
from lastlight.runtime.settings import Settings, SettingsError

CANARY = "canary-8f3a2b"

Lines = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "Authorization",
        "cookie",
        "Set-Cookie",
        "access_token",
        "refreshToken",
        "api_key",
        "secret_key",
        "LASTLIGHT_DATABASE_DSN",
        "client_secret",
        "totp",
        "pin",
        "webhook_signature",
    ],
)
def test_a_value_under_a_secret_name_is_hidden(name: str) -> None:
    assert clean({"outer": {name: CANARY}}) == {"outer": {name: HIDDEN}}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Bearer abcdefgh12345678 was sent", "Bearer [hidden] was sent"),
        (
            "connect postgresql://lastlight_app:c4n4ry@db:5432/x",
            "connect postgresql://lastlight_app:[hidden]@db:5432/x",
        ),
        ("Bearer\tabcdefgh12345678", "Bearer [hidden]"),
        ("basic\u2003abcdefgh12345678", "basic [hidden]"),
        ("4111111111111", "4111111111111"),
        ("4222222222222", "[hidden]"),
        ("jwt eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl end", "jwt [hidden] end"),
        ("body password=hunter22&x=1", "body password=[hidden]&x=1"),
        ('{"refresh_token": "abc123"}', '{"refresh_token": "[hidden]"}'),
        ("the tokens were counted", "the tokens were counted"),
    ],
)
def test_secrets_inside_of_texts_are_hidden(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


def test_what_is_no_secret_stays() -> None:
    event = {"count": 3, "ok": True, "nothing": None, "names": ["a", "b"], "has_password": True}
    assert clean(event) == event


@pytest.fixture
def json_logs(tmp_path: Path) -> Generator[Lines]:
    """A reader of the lines logged so far, as objects."""
    root = logging.getLogger()
    handlers, level, chain = list(root.handlers), root.level, structlog.get_config()
    stream = io.StringIO()
    configure_logs(Settings.load({}, var_dir=tmp_path, log_format="json"), stream)
    clear_request()
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    clear_request()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**chain)


def test_a_line_is_json_with_the_ids_of_its_request(json_logs: Lines) -> None:
    bind_request(request_id="r-1")
    structlog.stdlib.get_logger("lastlight.test").info("visit_opened", venue="v", password=CANARY)
    (line,) = json_logs()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "visit_opened",
        "level": "info",
        "logger": "lastlight.test",
        "password": HIDDEN,
        "request_id": "r-1",
        "venue": "v",
    }


def test_lines_of_libraries_go_the_same_way(json_logs: Lines) -> None:
    bind_request(request_id="r-2")
    logging.getLogger("some.library").warning("refused token=%s for %s", CANARY, "x")
    (line,) = json_logs()
    assert (line["event"], line["request_id"]) == ("refused token=[hidden] for x", "r-2")


def test_the_text_of_an_error_is_searched_too(json_logs: Lines) -> None:
    try:
        int(f"postgresql://app:{CANARY}@db/x")
    except ValueError:
        structlog.stdlib.get_logger("lastlight.test").exception("failed")
    (line,) = json_logs()
    assert CANARY not in json.dumps(line)
    assert "postgresql://app:[hidden]@db/x" in line["exception"]


def test_a_file_takes_the_log_and_the_terminal_keeps_to_warnings(json_logs: Lines, tmp_path: Path) -> None:
    place, terminal = tmp_path / "a.log", io.StringIO()
    configure_logs(Settings.load({}, var_dir=tmp_path, log_format="json", log_file=str(place)), terminal)
    log = logging.getLogger("some.library")
    log.info("token=%s came", CANARY)
    log.warning("token=%s went", CANARY)
    said = [
        [json.loads(line)["event"] for line in text.splitlines()] for text in (place.read_text(), terminal.getvalue())
    ]
    assert said == [["token=[hidden] came", "token=[hidden] went"], ["token=[hidden] went"]]
    assert json_logs() == []
    with pytest.raises(SettingsError, match=r"LASTLIGHT_LOG_FILE: .* cannot be written"):
        configure_logs(Settings.load({}, var_dir=tmp_path, log_file=str(tmp_path / "no" / "a.log")), terminal)


def test_an_error_report_names_nobody_and_carries_no_body() -> None:
    report = {
        "user": {"email": "guest@example.com"},
        "request": {"method": "POST", "url": "http://x/reset?token=abc", "data": {"password": CANARY}, "headers": {}},
        "extra": {"authorization": CANARY, "detail": f"Bearer {CANARY}12345"},
        "exception": {"values": [{"value": f"password={CANARY}"}]},
    }
    sent = without_people(report, {})
    assert sent["request"] == {"method": "POST", "url": "http://x/reset"}
    assert "user" not in sent
    assert CANARY not in json.dumps(sent)


def test_a_breadcrumb_is_the_line_s_message_without_its_secrets() -> None:
    record = logging.LogRecord("a", logging.INFO, "a.py", 1, "", (), None)
    record.msg = {"event": "signed_in", "token": CANARY, "level": "info", "request_id": "request-1234"}  # pyright: ignore[reportAttributeAccessIssue] - as structlog sets it
    crumb = {"type": "log", "message": str(record.msg), "data": {"password": CANARY}}
    kept = without_secrets(crumb, {"log_record": record})
    assert kept == {"type": "log", "message": "signed_in", "data": {"token": HIDDEN}}


@pytest.mark.parametrize(
    "text",
    ["paid with 4111 1111 1111 1111 today", "4111111111111111", "5500-0000-0000-0004", "card 340000000000009."[:-1]],
)
def test_numbers_of_payment_cards_are_hidden(text: str) -> None:
    assert HIDDEN in clean_text(text)
    assert not re.search(r"\d{4}", clean_text(text))


def test_other_long_numbers_stay() -> None:
    for text in ("4111 1111 1111 1112", "at 1763712000000", "01a1fe15-3644-7b4a-9921-41bc71954b18", "42"):
        assert clean_text(text) == text

"""Reading what a client sent: every refusal is a problem with the path of the field, whatever the bytes are."""

import json
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastlight.kernel.errors import Invalid, Malformed, Problem
from lastlight.runtime.http import Input
from lastlight.runtime.http.decode import BRACKETS, MAX_DEPTH, MAX_FIELDS, decode_json, decode_query
from tests.support.bells import EchoIn, FailQuery


class BornIn(Input, frozen=True, kw_only=True):
    """A date that nobody has to give."""

    born: date | None = None


def refusal(raw: bytes) -> Problem:
    with pytest.raises((Invalid, Malformed)) as caught:
        decode_json(raw, EchoIn)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "field", "sentence"),
    [
        (b'{"texte": "x"}', "texte", "There is no such field; check its spelling or leave it out."),
        (b'{"part": {"parts": []}}', "part.name", "This is needed."),
        (b'{"part": {"name": "a", "parts": [{"name": 5}]}}', "part.parts[0].name", "Give a text."),
        (b'{"part": {"name": "a", "parts": [{"name": "b", "extra": 1}]}}', "part.parts[0].extra", "There is no such"),
        (b'{"part": {"name": "123456789012345678901"}}', "part.name", "Write at most 20 characters."),
        (b'{"number": "5"}', "number", "Give a whole number."),
        (b'{"number": 5.5}', "number", "Give a whole number."),
        (b'{"number": null}', "number", "This may not be empty."),
        (b'{"number": true}', "number", "Give a whole number."),
        (b'{"few": [1, 2, 3, 4]}', "few", "Give at most 3 entries."),
        (b'{"few": [1, "2"]}', "few[1]", "Give a whole number."),
        (b'{"few": {}}', "few", "Give a list."),
        (b'{"named": []}', "named", "Give an object."),
        (b'{"named": {"a": "b"}}', "named[...]", "Give a whole number."),
        (b'{"at": "yesterday"}', "at", "Give a time such as 2026-11-21T22:30:00Z."),
        (b'{"at": "2026-02-30T00:00:00Z"}', "at", "Give a time such as"),
        (b'{"at": []}', "at", "Give a time such as"),
        (b'{"exact": "a lot"}', "exact", "Give a number."),
        (b'{"id": 1}', "id", "Give an id as a UUID."),
        (b'{"id": "1"}', "id", "Give an id as a UUID."),
        (b'{"on": "yes"}', "on", "Give true or false."),
        (b'{"tone": "h"}', "tone", "Choose one of the values that the reference lists."),
        (b"[]", "body", "Give an object."),
        (b"null", "body", "Give an object."),
        (b'"text"', "body", "Give an object."),
        (b'{"text": "a\\u0000b"}', "text", "This holds a NUL character; leave it out."),
        (b'{"part": {"name": "a", "parts": [{"name": "\\u0000"}]}}', "part.parts[0].name", "This holds a NUL"),
        (b'{"named": {"a\\u0000": 1}}', "named", "This holds a NUL character; leave it out."),
        (b'{"number": ' + b"9" * 5000 + b"}", "number", "Give a smaller number."),
        (b'{"ratio": 1e999}', "ratio", "Give a smaller number."),
    ],
)
def test_a_refused_value_has_its_path_and_a_sentence(raw: bytes, field: str, sentence: str) -> None:
    problem = refusal(raw)
    assert isinstance(problem, Invalid)
    assert list(problem.fields) == [field]
    assert problem.fields[field].startswith(sentence)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"{",
        b'{"text": "x"',
        b'{"text": "x"}}',
        b"{'text': 'x'}",
        b'{"text": x}',
        b'{"ratio": NaN}',
        b'{"ratio": Infinity}',
        b'{"ratio": -Infinity}',
        b'{"number": 0x10}',
        b'{"number": 01}',
        b'{"text": "a\x00b"}',
        b'\x00{"text": "x"}',
        b'{"text": "\xff"}',
        b'{"text": "\xed\xa0\x80"}',
        b'{"text": "\\ud800"}',
        b'\xef\xbb\xbf{"text": "x"}',
        '{"text": "x"}'.encode("utf-16"),
        b'{"text": "x", "text": "y"}',
        b'{"named": {"a": 1, "a": 2}}',
        b'{"part": {"name": "a", "parts": [{"name": "b", "name": "c"}]}}',
        b'{"te\\u0078t": "x", "text": "y"}',
        b"[" * 100_000,
        b'{"part":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"text": "x", // comment\n "number": 1}',
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    problem = refusal(raw)
    assert isinstance(problem, Malformed)
    assert problem.detail.endswith(".")
    assert len(problem.detail) < 300


def test_bytes_that_are_no_text_are_told_in_words() -> None:
    assert refusal(b'{"text": "\xff"}').detail == (
        "The body is not valid JSON in UTF-8: it holds bytes that are no UTF-8."
    )


def test_a_date_that_may_be_left_out_is_asked_for_as_a_date() -> None:
    for value in (b'"soon"', b"5"):
        with pytest.raises(Invalid) as caught:
            decode_json(b'{"born": ' + value + b"}", BornIn)
        assert caught.value.fields == {"born": "Give a date such as 2026-11-21."}


def nested(levels: int) -> bytes:
    inner: dict[str, Any] = {"name": "leaf"}
    for _ in range(levels):
        inner = {"name": "part", "parts": [inner]}
    return msgspec.json.encode({"part": inner})


def test_nesting_is_bounded_before_anything_recurses() -> None:
    at_most = (MAX_DEPTH - 2) // 2
    assert decode_json(nested(at_most), EchoIn).part is not None
    assert isinstance(refusal(nested(at_most + 1)), Malformed)


def test_brackets_inside_texts_do_not_count() -> None:
    text = '[{"\\' * 1000
    assert decode_json(msgspec.json.encode({"text": text}), EchoIn).text == text


@pytest.mark.parametrize("escaped", [b'\\"', b'\\\\"'])
def test_an_endless_text_full_of_quotes_is_read_once(escaped: bytes) -> None:
    """A megabyte whose first text never ends: read again from each of its quotes it would hold the process for an hour."""
    raw = b'{"text": "' + escaped * (500_000 // len(escaped))
    tokens = sum(1 for _ in BRACKETS.finditer(raw))
    assert tokens < len(raw)
    assert isinstance(refusal(raw), Malformed)


def test_a_field_given_twice_among_many_is_found_at_once() -> None:
    many = b",".join(b'"%d":1' % number for number in range(100_000))
    raw = b'{"named": {' + many + b', "99999": 1}}'
    with pytest.raises(Malformed, match="twice"):
        decode_json(raw, EchoIn)


def test_what_holds_comes_through_unchanged() -> None:
    sent = {
        "text": "Zoë 🔔 \u2028",
        "number": -(2**63),
        "exact": "12.50",
        "at": "2026-11-21T22:30:00+02:00",
        "few": [1],
    }
    data = decode_json(json.dumps(sent).encode(), EchoIn)
    assert (data.text, data.number, str(data.exact), data.few) == (sent["text"], -(2**63), "12.50", [1])
    assert data.at.isoformat() == sent["at"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*EchoIn.__struct_fields__, "x"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_taken_or_refused_as_a_problem(raw: bytes) -> None:
    try:
        data = decode_json(raw, EchoIn)
    except (Invalid, Malformed):
        return
    assert isinstance(data, EchoIn)
    assert "\x00" not in data.text


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120) | st.text(alphabet="howuntil=&%+;é0\x00", max_size=60).map(str.encode))
def test_whatever_stands_in_an_address_is_taken_or_refused(raw: bytes) -> None:
    try:
        query = decode_query(raw, FailQuery)
    except (Invalid, Malformed):
        return
    assert isinstance(query, FailQuery)
    assert "\x00" not in query.how


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"how=%ff", Malformed),
        (b"how=\xff", Malformed),
        (b"how=%00", Invalid),
        (b"h%00w=x", Invalid),
        (b"&".join(b"how=x" for _ in range(MAX_FIELDS + 1)), Malformed),
        (b"how=x&until=", None),
        (b"how=x&until=nine", Invalid),
        (b"until=1", Invalid),
        (b"how=x&what=y", Invalid),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_queries(raw: bytes, kind: type[Problem] | None) -> None:
    if kind is None:
        assert decode_query(raw, FailQuery).until == 99
        return
    with pytest.raises(kind):
        decode_query(raw, FailQuery)


@pytest.mark.parametrize(
    ("born", "fine"), [("0001-01-01", False), ("1000-01-01", True), ("9000-12-31", True), ("9999-12-31", False)]
)
def test_a_date_in_an_address_lies_where_weeks_can_be_reckoned(born: str, fine: bool) -> None:
    raw = b"born=" + born.encode()
    if fine:
        assert decode_query(raw, BornIn).born == date.fromisoformat(born)
        return
    with pytest.raises(Invalid) as refused:
        decode_query(raw, BornIn)
    assert set(refused.value.fields) == {"born"}

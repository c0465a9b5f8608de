"""Addresses and names: what is taken, in which spelling, and what is refused with a word on how to write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastlight.domains.identity.names import LONGEST_EMAIL, clean_email, clean_name, plain_email
from lastlight.kernel.errors import Invalid


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (" Owner@Bar.Example ", "owner@bar.example"),
        ("o'neil+till@bar.example", "o'neil+till@bar.example"),
        ("rene\u0301@bar.example", "ren\u00e9@bar.example"),
        ("нина@бар.рф", "нина@бар.рф"),
        ("J\u030cana@bar.example", "\u01f0ana@bar.example"),
        ("\u212aelvin@bar.example", "kelvin@bar.example"),
    ],
)
def test_an_address_has_one_spelling(raw: str, kept: str) -> None:
    assert clean_email(raw) == kept
    assert plain_email(raw) == kept


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "somebody",
        "@bar.example",
        "somebody@",
        "somebody@bar",
        "some body@bar.example",
        "somebody@bar.example, other@bar.example",
        "Some Body <somebody@bar.example>",
        "somebody@bar.example\r\nBcc: all@bar.example",
        "a@b@bar.example",
        "some\u200bbody@bar.example",
        "some\u202ebody@bar.example",
        "somebody\x00@bar.example",
        "x" * LONGEST_EMAIL + "@bar.example",
    ],
)
def test_what_can_be_no_address_is_refused_at_its_field(raw: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_email(raw, field="contact_email")
    assert list(refused.value.fields) == ["contact_email"]


@given(st.text(max_size=300))
def test_whatever_is_taken_is_taken_again_unchanged(raw: str) -> None:
    for clean in (clean_email, clean_name):
        try:
            kept = clean(raw)
        except Invalid:
            continue
        assert clean(kept) == kept
        assert "\n" not in kept
        assert "\x00" not in kept


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("  Zinhle \t Dube\n", "Zinhle Dube"),
        ("Kōjō Arcade", "Kōjō Arcade"),
        ("O’Neil & Söhne, Ltd.", "O’Neil & Söhne, Ltd."),
        ("نادية", "نادية"),
        ("Bar 🏳️‍🌈", "Bar 🏳️‍🌈"),
        ("Jose\u0301", "Jos\u00e9"),
    ],
)
def test_a_name_is_kept_as_it_reads(raw: str, kept: str) -> None:
    assert clean_name(raw) == kept


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        ("", "Write a name"),
        (" \t\n ", "Write a name"),
        ("x" * 121, "at most 120"),
        ("\u200b\u200b", "invisible"),
        ("Bar\u202eevil", "invisible"),
        ("Bar\x00", "invisible"),
        ("You won! https://evil.example/prize", "web address"),
        ("Go to WWW.evil.example", "web address"),
    ],
)
def test_a_name_that_hides_or_leads_elsewhere_is_refused(raw: str, word: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_name(raw, field="contact_name")
    assert word in refused.value.fields["contact_name"]

"""Short names: ASCII, bounded, never one of ours and never one that only looks like another."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastlight.domains.tenancy.slugs import LONGEST, RESERVED, free_slug, slug_of
from lastlight.modules import MODULES
from lastlight.runtime.module import Registry

SHAPE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
"""The table's own rule."""


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("The Low Light", "the-low-light"),
        ("Kōjō Arcade", "kojo-arcade"),
        ("  --Bar  51!-- ", "bar-51"),
        ("Café ☕ Söhne", "cafe-sohne"),
        ("ＦＵＬＬ　ＷＩＤＴＨ", "full-width"),
        ("١٢٣", "venue"),
        ("Ночь", "venue"),
        ("🍸", "venue"),
        ("xn--bcher-kva", "xn-bcher-kva"),
        ("a/../b?c=d&e", "a-b-c-d-e"),
        ("x" * 80, "x" * 48),
        ("x" * 47 + " y", "x" * 47),
    ],
)
def test_a_slug_is_made_of_what_can_be_read_aloud(text: str, slug: str) -> None:
    assert slug_of(text) == slug


@pytest.mark.parametrize("lookalike", ["рlatform", "plаtform", "ρlatform", "p\u200blatform", "platform\u202e"])
def test_a_lookalike_is_never_the_name_it_looks_like_in_other_letters(lookalike: str) -> None:
    """Letters of other scripts fall away, and what cannot be seen too: what is left is plain, and if it is ours it gets a number."""
    slug = free_slug(slug_of(lookalike), [])
    assert slug.isascii()
    assert slug not in RESERVED


@given(st.text(max_size=200), st.sets(st.text("abc-", min_size=1, max_size=4)))
def test_any_text_gives_a_slug_that_the_table_takes_and_nobody_has(text: str, taken: set[str]) -> None:
    wish = slug_of(text)
    slug = free_slug(wish, taken | {wish})
    for candidate in (wish, slug):
        assert SHAPE.fullmatch(candidate), candidate
        assert len(candidate) <= LONGEST
    assert slug not in taken | {wish} | RESERVED


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_our_own_words_get_a_number(word: str) -> None:
    assert free_slug(slug_of(word), []) == f"{word}-2"


def test_every_first_part_of_our_addresses_is_reserved() -> None:
    """A business may one day live at /<slug> or <slug>.<host>; it never takes the place of a page of ours."""
    firsts = {op.path.split("/")[1] for op in Registry(MODULES).operations}
    assert {first for first in firsts if SHAPE.fullmatch(first)} - RESERVED == set(), "add them to RESERVED in slugs.py"

"""A declared setting: what it takes, what it makes of what was stored once."""

from typing import Any

import pytest

from lastlight.kernel.errors import Invalid
from lastlight.runtime.tenant_settings import MOST_NUMBER, TenantSetting

MINUTES = TenantSetting(
    key="bells.minutes", type=int, default=5, label="Minutes", description="How long.", minimum=1, maximum=60
)
COUNT = TenantSetting(key="bells.count", type=int, default=0, label="Count", description="How many.")
LOUD = TenantSetting(key="bells.loud", type=bool, default=True, label="Loud", description="Whether.")
MOTTO = TenantSetting(key="bells.motto", type=str, default="", label="Motto", description="What.", maximum=10)
TONE = TenantSetting(
    key="bells.tone", type=str, default="c", label="Tone", description="Which.", choices=(("c", "C"), ("g", "G"))
)


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (MINUTES, 0),
        (MINUTES, 61),
        (MINUTES, True),
        (MINUTES, "5"),
        (MINUTES, 5.5),
        (COUNT, MOST_NUMBER + 1),
        (COUNT, -MOST_NUMBER - 1),
        (LOUD, 1),
        (LOUD, "true"),
        (MOTTO, "x" * 11),
        (MOTTO, 5),
        (TONE, "h"),
        (TONE, ""),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(declared: TenantSetting[Any], value: object) -> None:
    with pytest.raises(Invalid) as refusal:
        declared.check(value)
    assert list(refusal.value.fields) == ["value"]
    assert refusal.value.fields["value"].endswith(".")


@pytest.mark.parametrize(
    ("declared", "value"), [(MINUTES, 1), (MINUTES, 60), (COUNT, -MOST_NUMBER), (LOUD, False), (MOTTO, ""), (TONE, "g")]
)
def test_what_fits_is_kept(declared: TenantSetting[Any], value: object) -> None:
    assert declared.check(value) == value
    assert declared.read(value) == value


@pytest.mark.parametrize("stored", [None, 0, "5", [5], {"value": 5}, 1e9])
def test_what_was_stored_under_another_declaration_reads_as_the_default(stored: object) -> None:
    assert MINUTES.read(stored) == 5


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [(MINUTES, " 7 ", 7), (LOUD, "true", True), (LOUD, "", False), (MOTTO, "ding", "ding"), (TONE, "g", "g")],
)
def test_a_form_sends_texts(declared: TenantSetting[Any], text: str, value: object) -> None:
    assert declared.parse(text) == value


@pytest.mark.parametrize("text", ["", "five", "5.5", "0", "61", "9" * 2000])
def test_a_form_is_held_to_the_same_bounds(text: str) -> None:
    with pytest.raises(Invalid):
        MINUTES.parse(text)


def test_kinds() -> None:
    assert [declared.kind for declared in (MINUTES, LOUD, MOTTO, TONE)] == ["int", "bool", "text", "choice"]

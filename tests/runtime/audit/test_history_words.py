"""What a history says of a change: what became different, in words."""

from lastlight.runtime.audit.history import changes_of


def test_only_what_became_different_is_said() -> None:
    before = {"status": "open", "intent_id": "pi_1", "captured": ""}
    after = {"status": "captured", "intent_id": "pi_1", "captured": "100.00 ZAR"}
    assert changes_of(before, after) == ("status: open", "status: captured\ncaptured: 100.00 ZAR")


def test_what_began_or_ended_is_said_whole() -> None:
    facts = {"name": "Entry", "exempt": False, "note": None}
    assert changes_of(None, facts) == (None, "name: Entry\nexempt: no")
    assert changes_of(facts, None) == ("name: Entry\nexempt: no", None)


def test_a_field_that_came_or_went_is_said_on_its_side() -> None:
    assert changes_of({"refunding": "5.00 ZAR"}, {"refunded": "5.00 ZAR"}) == (
        "refunding: 5.00 ZAR",
        "refunded: 5.00 ZAR",
    )


def test_nothing_different_says_nothing() -> None:
    assert changes_of({"each_time": True}, {"each_time": True}) == (None, None)

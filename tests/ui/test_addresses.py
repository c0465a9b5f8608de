"""Links of lists: filters stay, paging starts again."""

from lastlight.ui.addresses import query_pairs, view_url, with_query, without_query


def test_a_change_replaces_its_own_parameter_and_forgets_the_page() -> None:
    assert with_query("/visits?state=open&after=abc&q=a%26b", sort="-spent") == "/visits?state=open&q=a%26b&sort=-spent"
    assert with_query("/visits?state=open", state=None) == "/visits"
    assert with_query("/visits?state=open&state=closed", state="open") == "/visits?state=open"


def test_paging_keeps_the_rest() -> None:
    assert with_query("/visits?state=open&after=abc", after="def") == "/visits?state=open&after=def"


def test_values_cannot_leave_their_parameter() -> None:
    assert with_query("/visits", q='"><script>&x=1') == "/visits?q=%22%3E%3Cscript%3E%26x%3D1"


def test_a_view_as_an_address() -> None:
    assert (
        view_url("/visits", {"status": ["open", "closed"], "late": True, "q": None})
        == "/visits?status=open&status=closed&late=true"
    )
    assert view_url("/visits", {}) == "/visits"
    assert query_pairs("/visits?a=1&a=2&after=x") == [("a", "1"), ("a", "2")]
    assert without_query("/visits?a=1#b") == "/visits"

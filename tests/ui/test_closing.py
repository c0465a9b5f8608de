"""What the tests' own Chromium does when it does not answer: it is killed, and the next test has another one."""

import pytest

from tests.support.browser import Chromiums, chromiums, closed_in_time, own_chromiums

pytestmark = pytest.mark.browser


def test_a_chromium_that_does_not_answer_is_killed_and_replaced() -> None:
    with chromiums() as made:
        others = own_chromiums()
        first = made.living()
        context = first.new_context()
        context.new_page()
        (process,) = own_chromiums() - others
        process.suspend()
        with pytest.warns(UserWarning, match="did not close"), closed_in_time(1):
            context.close()
        assert not first.is_connected()
        second = made.living()
        assert second is not first
        second.new_context().new_page()


def test_what_goes_wrong_in_time_is_not_hidden(chromiums_of_module: Chromiums) -> None:
    with pytest.raises(ValueError, match="of the test"), closed_in_time():
        raise ValueError("of the test")
    assert chromiums_of_module.living().is_connected()

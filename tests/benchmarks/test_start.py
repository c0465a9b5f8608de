"""The benchmark of the start works, and it sees a start that is slow."""

from pathlib import Path

import pytest

from benchmarks.start import LIMIT_SECONDS, import_shares, imports, start

ANSWERS = """
import http.server, os, time
time.sleep({pause})
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["LASTLIGHT_PORT"])), Ready).serve_forever()
"""


async def test_a_start_ends_with_the_first_answer_and_a_pause_in_it_is_seen(tmp_path: Path) -> None:
    at_once = await start(tmp_path, program=("-c", ANSWERS.format(pause=0)))
    late = await start(tmp_path, program=("-c", ANSWERS.format(pause=at_once + 1)))
    assert 0 < at_once < LIMIT_SECONDS
    assert late > at_once + 1


async def test_a_start_that_fails_is_no_start(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the exit status is 3"):
        await start(tmp_path, program=("-c", "raise SystemExit(3)"))


async def test_the_imports_are_told_by_package() -> None:
    figure = await imports()
    assert figure.value > max(figure.told.values()) > 0
    assert next(iter(figure.told)) == "lastlight"


def test_the_time_of_a_package_is_that_of_its_modules_alone() -> None:
    said = "import time: self [us] | cumulative | imported package\nimport time:  1000000 |  3000000 | one\nimport time:   500000 |  500000 |   one.part\n"
    assert import_shares(said) == {"one": 1.5}

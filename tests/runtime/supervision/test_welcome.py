"""The terminal shows addresses and sign-ins."""

import json
from pathlib import Path

from lastlight.runtime.settings import Settings
from lastlight.runtime.supervision.welcome import demo_log, welcome


def test_the_demo_shows_its_sign_ins(tmp_path: Path) -> None:
    settings = Settings.load({}, var_dir=tmp_path, demo=True, port=8123)
    sign_ins = [
        {"role": "manager", "tenant": "ember", "venue": "bar", "email": "m@ember.example", "password": "pw-1"},
        {"role": "ops", "tenant": None, "email": "ops@lastlight.example", "password": "pw-2"},
    ]
    settings.demo_file.write_text(json.dumps({"base_url": settings.base_url, "sign_ins": sign_ins}))
    lines = welcome(settings).splitlines()
    assert lines[1:4] == [
        "  Last Light is ready at http://127.0.0.1:8123",
        "  Guests' app            http://127.0.0.1:8123/patron",
        "  API documentation      http://127.0.0.1:8123/docs",
    ]
    assert "  manager  ember  m@ember.example        pw-1" in lines
    assert "  ops             ops@lastlight.example  pw-2" in lines


def test_without_the_demo_there_are_none(tmp_path: Path) -> None:
    settings = Settings.load({}, var_dir=tmp_path)
    settings.demo_file.write_text('{"sign_ins": [{"role": "manager"}]}')
    assert "manager" not in welcome(settings)


def test_a_demo_in_a_terminal_keeps_its_log_in_a_file_and_says_where(tmp_path: Path) -> None:
    demo = Settings.load({}, var_dir=tmp_path, demo=True)
    place = tmp_path / "log" / "lastlight.log"
    kept = demo_log(demo, terminal=True)
    assert kept.log_file == str(place)
    assert place.read_text() == ""
    assert str(place) in welcome(kept)
    for other in (demo_log(demo, terminal=False), demo_log(Settings.load({}, var_dir=tmp_path), terminal=True)):
        assert other.log_file == ""
    assert "logged in" not in welcome(demo)

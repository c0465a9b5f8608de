"""The terminal shows addresses and sign-ins."""

import json
from pathlib import Path

from lastlight.runtime.settings import Settings
from lastlight.runtime.supervision.welcome import welcome


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

"""Built files over HTTP: the best encoding, validators, caching, and nothing but built files."""

import gzip
import json
import os
from pathlib import Path

import pytest

from lastlight.ui.render import BUILD
from lastlight.ui.static import serve_static


@pytest.fixture
def build_dir(tmp_path: Path) -> Path:
    (tmp_path / "app-ABCDEF12.js").write_bytes(b"plain")
    (tmp_path / "app-ABCDEF12.js.br").write_bytes(b"brotli")
    (tmp_path / "app-ABCDEF12.js.gz").write_bytes(gzip.compress(b"plain"))
    (tmp_path / "font-ABCDEF12.woff2").write_bytes(b"font")
    (tmp_path / "sw.js").write_bytes(b"worker")
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path.parent / "secret.js").write_text("secret")
    return tmp_path


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br", "br", b"brotli"),
        ("gzip", "gzip", None),
        ("br;q=0, gzip;q=0.5", "gzip", None),
        ("br; q=0.0, gzip; q=0", "", b"plain"),
        ("*", "br", b"brotli"),
        ("", "", b"plain"),
        ("identity", "", b"plain"),
    ],
)
def test_encoding(build_dir: Path, accepted: str, encoding: str, body: bytes | None) -> None:
    found = serve_static("app-ABCDEF12.js", accepted, build_dir=build_dir)
    assert found is not None
    assert found.headers.get("Content-Encoding", "") == encoding
    assert found.headers["Vary"] == "Accept-Encoding"
    assert (found.body if body is not None else gzip.decompress(found.body)) == (body or b"plain")


def test_hashed_files_never_change_and_others_are_asked_for(build_dir: Path) -> None:
    hashed, worker = serve_static("app-ABCDEF12.js", build_dir=build_dir), serve_static("sw.js", build_dir=build_dir)
    assert hashed is not None
    assert worker is not None
    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert worker.headers["Cache-Control"] == "no-cache"
    assert worker.headers["Service-Worker-Allowed"] == "/"
    assert "Service-Worker-Allowed" not in hashed.headers


def test_what_the_client_has_is_not_sent_again(build_dir: Path) -> None:
    first = serve_static("sw.js", build_dir=build_dir)
    assert first is not None
    again = serve_static("sw.js", if_none_match=f'"other", W/{first.headers["ETag"]}', build_dir=build_dir)
    other = serve_static("sw.js", if_none_match='"other"', build_dir=build_dir)
    assert again is not None
    assert other is not None
    assert (again.status, again.body) == (304, b"")
    assert other.status == 200
    packed = serve_static("app-ABCDEF12.js", "br", build_dir=build_dir)
    plain = serve_static("app-ABCDEF12.js", "", build_dir=build_dir)
    assert packed is not None
    assert plain is not None
    assert packed.headers["ETag"] != plain.headers["ETag"]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.js",
        "..%2fsecret.js",
        "/etc/passwd",
        "",
        ".",
        "..",
        "manifest.json",
        "absent-ABCDEF12.js",
        "app-ABCDEF12.js.br",
        "a\x00.js",
        "app-ABCDEF12.js/",
    ],
)
def test_nothing_else_is_served(build_dir: Path, name: str) -> None:
    assert serve_static(name, "br", build_dir=build_dir) is None


def test_the_build_is_complete() -> None:
    manifest = json.loads((BUILD / "manifest.json").read_text())
    for name, hashed in manifest.items():
        if name != "icons":
            assert serve_static(hashed, "br") is not None, name
    for app in ("patron", "staff", "door", "management", "owner", "platform", "payee"):
        found = serve_static(f"{app}.webmanifest")
        assert found is not None
        webmanifest = json.loads(found.body)
        assert webmanifest["start_url"] == webmanifest["scope"]
        for icon in webmanifest["icons"]:
            assert serve_static(icon["src"].removeprefix("/static/")) is not None, icon


def test_a_file_is_read_once_until_it_changes(build_dir: Path) -> None:
    """Whoever asks for it a thousand times and takes it slowly does not fill the memory with it."""
    first, again = (serve_static("sw.js", build_dir=build_dir) for _ in range(2))
    assert first is not None
    assert again is not None
    assert again.body is first.body
    (build_dir / "sw.js").write_bytes(b"newer")
    os.utime(build_dir / "sw.js", ns=(1, 1))
    newer = serve_static("sw.js", build_dir=build_dir)
    assert newer is not None
    assert newer.body == b"newer"
    assert newer.headers["ETag"] != first.headers["ETag"]

"""Secrets that the platform keeps for itself."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lastlight.runtime.secrets import derived, kept_secret


def test_many_first_callers_agree_on_one_secret(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    with ThreadPoolExecutor(16) as threads:
        answers = set(threads.map(kept_secret, [path] * 64))
    assert answers == {path.read_text().strip()}
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_a_derived_secret_depends_on_key_and_purpose() -> None:
    assert derived("k", "a") == derived("k", "a")
    assert len({derived("k", "a"), derived("k", "b"), derived("l", "a")}) == 3

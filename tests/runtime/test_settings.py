"""Settings: declared once, read from the environment, refused in one sentence."""

import dataclasses
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from lastlight.runtime.settings import DATABASE_ROLES, SETTINGS, Settings, SettingsError

DATABASE = "postgresql://admin:p%40ss@db.example:6432/night?sslmode=require"


def load(tmp_path: Path, **env: str) -> Settings:
    """Settings of an environment with a var folder of its own."""
    return Settings.load({"LASTLIGHT_VAR_DIR": str(tmp_path / "var"), **env})


def test_the_table_describes_every_setting_in_a_sentence() -> None:
    assert [s.name for s in SETTINGS] == [f.name for f in dataclasses.fields(Settings)]
    assert [s.name for s in SETTINGS if not s.description.endswith(".")] == []
    assert {s.name for s in SETTINGS if s.secret} >= {"database_url", "secret_key", "smtp_url", "sentry_dsn"}


def test_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.host, settings.port, settings.base_url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert settings.embedded
    assert settings.storage_url == (tmp_path / "var" / "files").as_uri()
    assert settings.trusted_proxies == ()
    assert not settings.demo


def test_values_are_read_by_their_type(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        LASTLIGHT_PORT=" 8123 ",
        LASTLIGHT_HOST="::",
        LASTLIGHT_DEMO="Yes",
        LASTLIGHT_CORS_ORIGINS="https://a.example, https://b.example",
        LASTLIGHT_LOG_LEVEL="DEBUG",
        LASTLIGHT_SIMULATE="",
    )
    assert settings.port == 8123
    assert settings.base_url == "http://[::1]:8123"
    assert settings.demo
    assert settings.simulate
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.log_level == "debug"


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PORT", "eight", "LASTLIGHT_PORT must be a whole number, not 'eight'."),
        ("PORT", "0", "LASTLIGHT_PORT must be at least 1, not 0."),
        ("PORT", "70000", "LASTLIGHT_PORT must be at most 65535, not 70000."),
        ("DEMO", "perhaps", "LASTLIGHT_DEMO must be true or false, not 'perhaps'."),
        ("LOG_FORMAT", "xml", "LASTLIGHT_LOG_FORMAT must be one of json, console, not 'xml'."),
        ("BASE_URL", "example.com", "LASTLIGHT_BASE_URL must be an address that starts with http:// or https://."),
        ("STORAGE_URL", "ftp://x/y", "LASTLIGHT_STORAGE_URL must be an address that starts with file:// or s3://."),
        ("SECRET_KEY", "short", "LASTLIGHT_SECRET_KEY must have at least 32 characters."),
        ("PROT", "8000", "LASTLIGHT_PROT is not a setting: docs/reference/settings.md lists them all."),
    ],
)
def test_a_bad_value_is_one_sentence_that_names_its_variable(
    tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(tmp_path, **{f"LASTLIGHT_{variable}": value})
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("mysql://a:b@h/x", "is not the address of a PostgreSQL server"),
        ("postgresql://a:b@h", "names no database"),
        ("postgresql:///x", "names no host"),
        ("postgresql://a:b@h:port/x", "is not an address"),
    ],
)
def test_a_wrong_database_url_is_refused(tmp_path: Path, url: str, fault: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(tmp_path, LASTLIGHT_DATABASE_URL=url)
    assert str(refusal.value) == (
        f"LASTLIGHT_DATABASE_URL {fault}; it looks like postgresql://administrator:password@host:5432/lastlight."
    )


def test_a_var_folder_that_cannot_be_written_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match=r"^LASTLIGHT_VAR_DIR: /proc/nowhere cannot be written"):
        Settings.load({"LASTLIGHT_VAR_DIR": "/proc/nowhere"})


def test_the_secret_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    first = load(tmp_path).secret_key
    assert load(tmp_path).secret_key == first
    assert len(first) >= 32
    kept = tmp_path / "var" / "secrets" / "secret-key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_each_role_signs_in_with_a_password_of_its_own(tmp_path: Path) -> None:
    settings = load(tmp_path, LASTLIGHT_DATABASE_URL=DATABASE)
    passwords = {role: settings.role_password(role) for role in DATABASE_ROLES}
    assert len(set(passwords.values())) == len(DATABASE_ROLES)
    parts = urlsplit(settings.dsn("app"))
    assert (parts.username, unquote(parts.password or "")) == ("lastlight_app", passwords["app"])
    assert (parts.hostname, parts.port, parts.path, parts.query) == ("db.example", 6432, "/night", "sslmode=require")
    assert settings.admin_dsn() == DATABASE


def test_passwords_change_with_the_key(tmp_path: Path) -> None:
    one = load(tmp_path, LASTLIGHT_SECRET_KEY="a" * 32).role_password("app")
    other = load(tmp_path, LASTLIGHT_SECRET_KEY="b" * 32).role_password("app")
    assert one != other


def test_the_embedded_database_has_no_address_before_its_first_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has never been started"):
        load(tmp_path).dsn("app")


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, LASTLIGHT_DATABASE_URL=DATABASE)
    assert settings.secret_key not in repr(settings)
    assert "p%40ss" not in repr(settings)

"""Every setting of the platform, declared once: name, type, default, meaning, secrecy.

A setting is read from the environment variable `LASTLIGHT_<NAME>`; docs/reference/settings.md is generated from `SETTINGS`.
"""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import quote, urlsplit, urlunsplit

from lastlight.runtime.embedded.state import read_port
from lastlight.runtime.sandbox_port import USUAL_PORT, kept_port
from lastlight.runtime.secrets import derived, kept_secret
from lastlight.runtime.startup import StartError
from lastlight.runtime.stripe_keys import STRIPE_BASE, why_refused

PREFIX = "LASTLIGHT_"
DATABASE_NAME = "lastlight"

DatabaseRole = Literal["migrator", "app", "system", "platform", "looker"]
"""The roles that sign in to PostgreSQL; each login is `lastlight_<role>`."""

DATABASE_ROLES: tuple[DatabaseRole, ...] = get_args(DatabaseRole)


class SettingsError(StartError):
    """A setting that cannot be used; the message is one sentence that names the variable."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The declaration of one setting, as the reference shows it."""

    name: str
    kind: str
    default: Any
    description: str
    secret: bool
    minimum: int | None
    choices: tuple[str, ...]

    @property
    def variable(self) -> str:
        """The environment variable that carries the setting."""
        return PREFIX + self.name.upper()


def _setting(
    default: Any, description: str, *, secret: bool = False, minimum: int | None = None, choices: tuple[str, ...] = ()
) -> Any:
    meta = {"description": description, "secret": secret, "minimum": minimum, "choices": choices}
    return dataclasses.field(default=default, metadata=meta, repr=not secret)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process, read once at its start."""

    host: str = _setting("127.0.0.1", "Address the platform listens on.")
    port: int = _setting(8000, "Port the platform listens on.", minimum=1)
    base_url: str = _setting("", "Public address of the platform; empty means http://host:port.")
    stripe_secret_key: str = _setting(
        "", "Secret key of the Stripe account; empty uses an account of the sandbox.", secret=True
    )
    stripe_publishable_key: str = _setting(
        "", "Publishable key of the same account, which pages with card fields hold."
    )
    stripe_webhook_secrets: tuple[str, ...] = _setting(
        (),
        "Signing secrets of our webhook endpoint at Stripe; while one is changed, the new one and the old one.",
        secret=True,
    )
    stripe_api_base: str = _setting(
        "", f"Where payments go: {STRIPE_BASE} is Stripe; empty is the embedded sandbox, which moves no money."
    )
    sandbox_port: int = _setting(
        0, "Port of the sandbox, the stand-in for Stripe; 0 takes 8420, or once a free one, and keeps it.", minimum=0
    )
    sandbox_url: str = _setting(
        "",
        "Address at which browsers reach the sandbox; empty means the one it listens on, for browsers on this machine.",
    )
    database_url: str = _setting(
        "",
        "Address of a managed PostgreSQL 18 with an account that may create roles (only `lastlight migrate` uses that "
        "account); empty starts the embedded server.",
        secret=True,
    )
    database_port: int = _setting(
        0, "Port of the embedded PostgreSQL; 0 picks a free one once and keeps it.", minimum=0
    )
    var_dir: Path = _setting(Path("var"), "Folder for everything the platform keeps on this machine.")
    secret_key: str = _setting(
        "", "Key the other secrets are derived from, at least 32 characters; empty makes one and keeps it.", secret=True
    )
    secret_keys: tuple[str, ...] = _setting(
        (), "Earlier secret keys, newest first: they still open what they sealed after a new one was set.", secret=True
    )
    demo: bool = _setting(default=False, description="Fill an empty database with the demonstration tenants.")
    simulate: bool = _setting(default=True, description="Let a slow night go on by itself while the demo runs.")
    smtp_url: str = _setting(
        "",
        "Mail server, as smtp://user:password@host:port or smtps://…; empty keeps mail on the outbox page.",
        secret=True,
    )
    mail_from: str = _setting("Last Light <no-reply@lastlight.example>", "Sender of outgoing mail.")
    storage_url: str = _setting("", "Where files are kept: file:///… or s3://bucket/prefix; empty means var/files.")
    sentry_dsn: str = _setting("", "Sentry project that receives unexpected errors; empty sends nothing.", secret=True)
    otlp_endpoint: str = _setting(
        "", "OpenTelemetry collector (OTLP over HTTP) that receives traces; empty sends none."
    )
    log_level: str = _setting(
        "info", "Least severity that is logged.", choices=("debug", "info", "warning", "error", "critical")
    )
    log_format: str = _setting("console", "One JSON object a line, or lines for people.", choices=("json", "console"))
    log_file: str = _setting(
        "",
        "File that takes the log; the terminal then shows warnings and errors only. Empty: all of it goes to the terminal,"
        " but the demo, started from one, keeps it in var/log/lastlight.log.",
    )
    cors_origins: tuple[str, ...] = _setting((), "Origins of other sites whose pages may call the API.")
    trusted_proxies: tuple[str, ...] = _setting(
        (), "Addresses or networks of proxies whose X-Forwarded-For is believed; empty believes nobody."
    )
    private_calls: bool = _setting(
        default=False,
        description="Call push services at private addresses and without https too: only for tests on one machine.",
    )
    db_pool_size: int = _setting(10, "Most database connections of one process for each role.", minimum=1)
    statement_timeout_ms: int = _setting(4_000, "Longest statement of a request.", minimum=1)
    transaction_timeout_ms: int = _setting(15_000, "Longest transaction of a request.", minimum=1)
    prepared_statements: bool = _setting(
        default=True, description="Keep prepared statements; turn off behind a PgBouncer older than 1.21."
    )
    web_processes: int = _setting(1, "Web processes under the supervisor.", minimum=1)
    request_body_limit: int = _setting(1024 * 1024, "Largest request body in bytes, uploads aside.", minimum=1024)
    access_token_seconds: int = _setting(900, "Life of an access token.", minimum=1)
    refresh_token_seconds: int = _setting(604_800, "Life of a refresh token.", minimum=1)
    user_requests_per_minute: int = _setting(600, "Requests a minute that one user may make.", minimum=1)
    auth_failures_per_quarter_hour: int = _setting(
        100, "Failed and anonymous sign-in calls in 15 minutes for one address and account together.", minimum=1
    )
    relay_interval_ms: int = _setting(200, "Longest wait of the relay between two looks at the outbox.", minimum=1)

    @classmethod
    def load(cls, env: Mapping[str, str], **overrides: Any) -> "Settings":
        """The settings of `env`, with `overrides` on top; raises SettingsError on the first bad value."""
        values = {s.name: _parse(s, env[s.variable]) for s in SETTINGS if env.get(s.variable, "").strip()}
        _refuse_unknown(env)
        settings = cls(**(values | overrides))
        for setting in SETTINGS:
            _check(setting, getattr(settings, setting.name))
        _check_processor(settings)
        var_dir = settings.var_dir.expanduser().absolute()
        return dataclasses.replace(
            settings,
            var_dir=var_dir,
            secret_key=_secret_key(settings.secret_key, var_dir),
            base_url=(settings.base_url or default_base_url(settings.host, settings.port)).rstrip("/"),
            database_url=_checked_database_url(settings.database_url),
            storage_url=settings.storage_url or (var_dir / "files").as_uri(),
        )

    @property
    def embedded(self) -> bool:
        """Whether the platform runs its own PostgreSQL."""
        return not self.database_url

    @property
    def sandbox_address(self) -> str:
        """Where processes of this machine reach the sandbox."""
        return default_base_url(self.host, self.sandbox_port or kept_port(self.var_dir) or USUAL_PORT)

    @property
    def demo_file(self) -> Path:
        """Where the demo's addresses and sign-ins are written."""
        return self.var_dir / "demo.json"

    def role_password(self, role: DatabaseRole) -> str:
        """The password of the login `lastlight_<role>`, derived from the secret key."""
        return derived(self.secret_key, f"db-role:lastlight_{role}")

    def dsn(self, role: DatabaseRole) -> str:
        """The database address for one of our logins."""
        return _with_user(self.admin_dsn(), f"lastlight_{role}", self.role_password(role))

    def admin_dsn(self) -> str:
        """The database address of the administrator; only migrations may use it."""
        if self.database_url:
            return self.database_url
        password = kept_secret(self.var_dir / "secrets" / "postgres-superuser")
        port = self.database_port or read_port(self.var_dir)
        if port is None:
            raise SettingsError(
                f"The embedded PostgreSQL of {self.var_dir} has never been started: run `lastlight serve` first."
            )
        return f"postgresql://postgres:{quote(password, safe='')}@127.0.0.1:{port}/{DATABASE_NAME}"


def _declarations() -> tuple[Setting, ...]:
    hints = typing.get_type_hints(Settings)
    return tuple(
        Setting(
            name=f.name,
            kind=getattr(hints[f.name], "__name__", str(hints[f.name])),
            default=f.default,
            description=f.metadata["description"],
            secret=f.metadata["secret"],
            minimum=f.metadata["minimum"],
            choices=f.metadata["choices"],
        )
        for f in dataclasses.fields(Settings)
    )


SETTINGS: tuple[Setting, ...] = _declarations()

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def _parse(setting: Setting, raw: str) -> Any:
    text = raw.strip()
    match setting.kind:
        case "int":
            return _parse_int(setting, text)
        case "bool":
            if text.lower() not in _TRUE | _FALSE:
                raise SettingsError(f"{setting.variable} must be true or false, not {text!r}.")
            return text.lower() in _TRUE
        case "Path":
            return Path(text)
        case "tuple":
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case _:
            return text.lower() if setting.choices else text


def _parse_int(setting: Setting, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"{setting.variable} must be a whole number, not {text!r}.") from None


def _check(setting: Setting, value: Any) -> None:
    if setting.minimum is not None and value < setting.minimum:
        raise SettingsError(f"{setting.variable} must be at least {setting.minimum}, not {value}.")
    if setting.name in {"port", "sandbox_port", "database_port"} and value > 65_535:
        raise SettingsError(f"{setting.variable} must be at most 65535, not {value}.")
    if setting.choices and value not in setting.choices:
        raise SettingsError(f"{setting.variable} must be one of {', '.join(setting.choices)}, not {value!r}.")
    if setting.name in _URL_SCHEMES and value:
        _check_url(setting, value)


def _check_processor(settings: Settings) -> None:
    sentence = why_refused(
        secret_key=settings.stripe_secret_key,
        publishable_key=settings.stripe_publishable_key,
        webhook_secrets=settings.stripe_webhook_secrets,
        base=settings.stripe_api_base,
    )
    if sentence:
        raise SettingsError(sentence)


_URL_SCHEMES = {
    "stripe_api_base": ("http", "https"),
    "sandbox_url": ("http", "https"),
    "base_url": ("http", "https"),
    "smtp_url": ("smtp", "smtps", "smtp+starttls"),
    "storage_url": ("file", "s3"),
    "sentry_dsn": ("http", "https"),
    "otlp_endpoint": ("http", "https"),
}


def _check_url(setting: Setting, value: str) -> None:
    schemes = _URL_SCHEMES[setting.name]
    parts = urlsplit(value)
    if parts.scheme not in schemes or not (parts.netloc or (parts.scheme == "file" and parts.path)):
        raise SettingsError(
            f"{setting.variable} must be an address that starts with {' or '.join(f'{s}://' for s in schemes)}."
        )


def _refuse_unknown(env: Mapping[str, str]) -> None:
    known = {s.variable for s in SETTINGS}
    for name in sorted(env):
        if name.startswith(PREFIX) and name not in known and not name.startswith(f"{PREFIX}INTERNAL_"):
            raise SettingsError(f"{name} is not a setting: docs/reference/settings.md lists them all.")


def _secret_key(given: str, var_dir: Path) -> str:
    if not given:
        try:
            return kept_secret(var_dir / "secrets" / "secret-key")
        except OSError as error:
            raise SettingsError(
                f"LASTLIGHT_VAR_DIR: {var_dir} cannot be written ({error.strerror}); choose a folder this user may write."
            ) from None
    if len(given) < 32:
        raise SettingsError("LASTLIGHT_SECRET_KEY must have at least 32 characters.")
    return given


def default_base_url(host: str = "127.0.0.1", port: int = 8000) -> str:
    """The address of a platform that nobody gave a public one; without arguments that of one of which nothing was set."""
    named = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - read, not bound
    shown = f"[{named}]" if ":" in named and not named.startswith("[") else named
    return f"http://{shown}:{port}"


def _checked_database_url(url: str) -> str:
    if not url:
        return ""
    advice = "it looks like postgresql://administrator:password@host:5432/lastlight"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise SettingsError(f"LASTLIGHT_DATABASE_URL is not an address; {advice}.") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise SettingsError(f"LASTLIGHT_DATABASE_URL is not the address of a PostgreSQL server; {advice}.")
    if not parts.path.strip("/"):
        raise SettingsError(f"LASTLIGHT_DATABASE_URL names no database; {advice}.")
    if not parts.hostname and "host=" not in parts.query:
        raise SettingsError(f"LASTLIGHT_DATABASE_URL names no host; {advice}.")
    return url


def _with_user(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{place}"))

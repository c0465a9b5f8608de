"""What the embedded server remembers between starts: its port."""

import json
import os
from pathlib import Path


def _file(var_dir: Path) -> Path:
    return var_dir / "postgres.json"


def read_port(var_dir: Path) -> int | None:
    """The port kept for the embedded server of `var_dir`, or None before its first start."""
    try:
        state = json.loads(_file(var_dir).read_text())
        return int(state["port"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def keep_port(var_dir: Path, port: int) -> None:
    """Remember `port`, whole or not at all."""
    draft = _file(var_dir).with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({"port": port}) + "\n")
    draft.replace(_file(var_dir))

"""What ships is free to ship: `python tools/check_licences.py` lists packages under the GPL or AGPL, or under nothing known, and fails.

Read from what is installed: every package of requirements.lock, and every package of package-lock.json that the screens are built
from (tools of the build and of the tests do not ship).
"""

import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)(?:\s*;\s*([^\\]+))?", re.MULTILINE)
COPYLEFT = re.compile(r"(?<!L)(?<!lesser )(?:A?GPL|(?:affero )?general public licen[sc]e)", re.IGNORECASE)
CLASSIFIER = "License :: OSI Approved :: "
READ_BY_HAND: dict[str, str] = {}
"""Packages whose metadata names no licence, with what their own licence file says."""


def main() -> int:
    """Print every package that may not ship and return the exit status."""
    found = [*python_packages((ROOT / "requirements.lock").read_text()), *node_packages(ROOT)]
    refused = [f"{name}: {sentence}" for name, licence in found if (sentence := judge(licence))]
    for line in refused:
        print(line)
    print(f"licences: {len(refused)} breaches" if refused else f"licences: kept by {len(found)} packages")
    return 1 if refused else 0


def judge(licence: str) -> str:
    """What is wrong with a licence; nothing where one of its alternatives is free of copyleft."""
    if not licence.strip():
        return "its metadata names no licence; read its licence file and note it in READ_BY_HAND"
    alternatives = re.split(r"\s+OR\s+|\s*/\s*", licence.strip("()"))
    free = [one for one in alternatives if not COPYLEFT.search(one) or re.search(r"\bWITH\b.*exception", one)]
    return "" if free else f"{licence} may not ship"


def python_packages(lock: str) -> Iterator[tuple[str, str]]:
    """Each package of a lock that is installed here, with its licence."""
    for match in PINNED.finditer(lock):
        try:
            metadata = importlib.metadata.metadata(match[1])
        except importlib.metadata.PackageNotFoundError:
            if not match[3]:
                yield match[1], ""
            continue  # for another system or Python than this one
        yield match[1], READ_BY_HAND.get(match[1]) or licence_of(metadata)


def licence_of(metadata: Any) -> str:
    """The licence that a distribution's metadata names: an expression, classifiers, or a short free text."""
    if metadata["License-Expression"]:
        return str(metadata["License-Expression"])
    classified = [
        text.rsplit(" :: ", 1)[-1] for text in metadata.get_all("Classifier", []) if text.startswith("License ::")
    ]
    told = [text for text in classified if text != "OSI Approved"]
    return " OR ".join(told) or str(metadata["License"] or "").split("\n", 1)[0]


def node_packages(root: Path) -> Iterator[tuple[str, str]]:
    """Each package that the screens ship, with its licence."""
    packages: dict[str, dict[str, Any]] = json.loads((root / "package-lock.json").read_text())["packages"]
    for place, locked in sorted(packages.items()):
        if not place or locked.get("dev") or locked.get("optional"):
            continue
        file = root / place / "package.json"
        yield (
            place.removeprefix("node_modules/"),
            node_licence(json.loads(file.read_text()) if file.exists() else locked),
        )


def node_licence(package: Mapping[str, Any]) -> str:
    """The licence of a package.json; old ones hold a list."""
    several: list[dict[str, str]] = package.get("licenses", [])
    return str(package.get("license") or " OR ".join(one.get("type", "") for one in several))


if __name__ == "__main__":
    sys.exit(main())

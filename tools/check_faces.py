"""A domain is entered by its public face: `python tools/check_faces.py` lists imports that reach past it and fails.

Another domain imports from `lastlight.domains.NAME` only; the assembly may also take its `module`.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOMAINS = "lastlight.domains."
ASSEMBLY = {"src/lastlight/modules.py", "src/lastlight/main.py"}


def main() -> int:
    """Print every import that goes past a face and return the exit status."""
    breaches = [breach for path in sorted((ROOT / "src").rglob("*.py")) for breach in breaches_of(path, ROOT)]
    for breach in breaches:
        print(breach)
    print(f"faces: {len(breaches)} breaches" if breaches else "faces: kept")
    return 1 if breaches else 0


def breaches_of(path: Path, root: Path) -> list[str]:
    """The imports of one file that go past another domain's face."""
    place = path.relative_to(root).as_posix()
    own = place.removeprefix("src/lastlight/domains/").split("/")[0] if "/domains/" in place else ""
    return [
        f"{place}:{line}: imports {module}; {DOMAINS}{domain} is the face of that domain"
        for line, module in _imports(ast.parse(path.read_text()))
        for domain, _, inside in [module.removeprefix(DOMAINS).partition(".")]
        if module.startswith(DOMAINS) and inside and domain != own and not (place in ASSEMBLY and inside == "module")
    ]


def _imports(tree: ast.Module) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.lineno, node.module))
    return found


if __name__ == "__main__":
    sys.exit(main())

"""The rules of templates: `python tools/check_templates.py [FOLDER …]` lists what breaks them and fails.

The content policy allows no inline script or style, and htmx may not evaluate text: no `hx-on`, no `js:` values, no filters in
triggers, no `on…=` attributes. Nothing is loaded from elsewhere. Mails are exempt from the rule on style: mail programs know no
stylesheet.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = (ROOT / "src/lastlight",)
MAIL = re.compile(r"(^|[/_.-])(e?mail)([/_.-]|$)")
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
STYLE = (re.compile(r"<[a-z][^<>]*?\sstyle\s*=", re.IGNORECASE), "no style on an element: give it a class")
STYLE_ELEMENT = (re.compile(r"<style\b", re.IGNORECASE), "no <style>: the rule belongs into ui/css")
RULES = (
    (re.compile(r"\s(?:data-)?hx-on[:\w-]*\s*="), "no hx-on: it evaluates text; write a Stimulus controller"),
    (re.compile(r"=\s*[\"']\s*(?:js|javascript):", re.IGNORECASE), "no js: or javascript: values: they evaluate text"),
    (
        re.compile(r"hx-trigger\s*=\s*\"[^\"]*\[|hx-trigger\s*=\s*'[^']*\["),
        "no [filter] in a trigger: it evaluates text",
    ),
    (re.compile(r"<[a-z][^<>]*?\son[a-z]+\s*=", re.IGNORECASE), "no on…= attributes: the content policy blocks them"),
    (
        re.compile(r"<script\b(?![^>]*\bsrc\s*=)(?![^>]*type\s*=\s*[\"']application/(?:ld\+)?json)", re.IGNORECASE),
        "no inline script: the content policy blocks it",
    ),
    (
        re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE),
        "nothing is loaded from another host",
    ),
    (re.compile(r"\|\s*safe\b"), "no |safe: what comes from people stays escaped; make markup with a macro"),
    (re.compile(r"\{%-?\s*autoescape\s+false"), "no autoescape false"),
    (
        re.compile(r"[\"'](?:style|(?:data-)?hx-on[^\"']*|on(?:click|change|input|submit|load|error))[\"']\s*:"),
        "no style or handler through attrs either",
    ),
    (re.compile(r"\s(?:data-)?hx-(?:ext|boost)\s*="), "no htmx extensions or boost: links are links"),
)


def main(arguments: list[str]) -> int:
    """Print every breach and return the exit status."""
    folders = [Path(argument) for argument in arguments] or list(FOLDERS)
    breaches = [breach for folder in folders for path in templates(folder) for breach in breaches_of(path)]
    for breach in breaches:
        print(breach)
    print(f"templates: {len(breaches)} breaches" if breaches else "templates: kept")
    return 1 if breaches else 0


def templates(folder: Path) -> Iterator[Path]:
    """Every template under a folder; what the build makes is none."""
    return (path for path in sorted(folder.rglob("*.html")) if "build" not in path.relative_to(folder).parts)


def breaches_of(path: Path) -> Iterator[str]:
    """The breaches of one template, each as `path:line: sentence`."""
    text = COMMENT.sub(_blank, path.read_text())
    plain = JINJA.sub(_blank, text)
    rules = RULES if MAIL.search(path.as_posix()) else (*RULES, STYLE, STYLE_ELEMENT)
    found = (
        (source.count("\n", 0, match.end()) + 1, sentence)
        for rule, sentence in rules
        for source in (text, plain)
        for match in rule.finditer(source)
    )
    return (f"{path}:{line}: {sentence}" for line, sentence in sorted(set(found)))


def _blank(match: re.Match[str]) -> str:
    """The same number of lines, so that places stay right."""
    return re.sub(r"[^\n]", " ", match[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

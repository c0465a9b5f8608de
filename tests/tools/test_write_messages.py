"""Catalogues of translations follow the code, and what the tool writes is what pages and apps read."""

import json
import subprocess
from pathlib import Path

import pytest

from lastlight.ui import translations
from lastlight.ui.reader import reading_as
from tests.support.postgres import REPOSITORY
from tools.write_messages import main

PAGE = '{% extends "x" %}{{ _("Visits") }}{{ ngettext("%(num)s guest", "%(num)s guests", n) }}'
READ = "import { catalogues } from './src/lastlight/ui/catalogues.mjs'; console.log(JSON.stringify([...catalogues(process.argv[1])]));"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Code with a text of every kind."""
    folder = tmp_path / "code"
    (folder / "ui/build").mkdir(parents=True)
    (folder / "page.html").write_text(PAGE)
    (folder / "app.tsx").write_text('export const App = () => <b title={_("Close")}>{_("Not yet")}</b>;\n')
    (folder / "notices.py").write_text('def tell():\n    Notice(title="An SOS" if loud else "A call", tag="sos")\n')
    (folder / "ui/build/old.ts").write_text('_("Built")\n')
    return folder


def run(source: Path, *arguments: str) -> int:
    return main(list(arguments), source=source, locales=source.parent / "locales")


def catalogue(source: Path) -> Path:
    return source.parent / "locales/af/LC_MESSAGES/messages.po"


def test_a_new_language_has_every_text_of_the_code(source: Path) -> None:
    assert run(source, "--check") == 0, "English alone needs no catalogue"
    assert run(source, "af") == 0
    written = catalogue(source).read_text()
    for text in ("Visits", "%(num)s guests", "Close", "Not yet", "An SOS", "A call"):
        assert f'"{text}"' in written
    assert "Built" not in written
    assert run(source, "--check") == 0


def test_a_catalogue_that_is_behind_fails_until_it_is_renewed(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(source, "af")
    translated = catalogue(source).read_text().replace('msgid "Visits"\nmsgstr ""', 'msgid "Visits"\nmsgstr "Besoeke"')
    catalogue(source).write_text(translated)
    (source / "page.html").write_text(
        PAGE.replace('_("Visits")', '_("Visits") ~ _("Tonight")').replace("guest", "staff")
    )
    assert run(source, "--check") == 1
    said = capsys.readouterr().out
    assert "2 texts are missing" in said
    assert "1 texts are gone" in said
    run(source)
    assert run(source, "--check") == 0
    assert 'msgstr "Besoeke"' in catalogue(source).read_text()
    assert "guest" not in catalogue(source).read_text()


def test_a_translation_that_loses_a_place_is_found(source: Path) -> None:
    (source / "page.html").write_text('{{ _("%(who)s left", who=who) }}')
    run(source, "af")
    written = catalogue(source).read_text()
    wrong = written.replace('msgid "%(who)s left"\nmsgstr ""', 'msgid "%(who)s left"\nmsgstr "%(wie)s is weg"')
    assert wrong != written
    catalogue(source).write_text(wrong)
    assert run(source, "--check") == 1


def test_pages_and_apps_read_what_is_written(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(source, "af")
    written = catalogue(source).read_text().replace('msgid "Close"\nmsgstr ""', 'msgid "Close"\nmsgstr "Maak toe"')
    catalogue(source).write_text(written)
    monkeypatch.setattr(translations, "LOCALES", source.parent / "locales")
    translations._catalogue.cache_clear()  # pyright: ignore[reportPrivateUsage] - the languages are others now
    with reading_as(locale="af", zone="UTC"):
        assert translations.gettext("Close") == "Maak toe"
        assert translations.gettext("Not yet") == "Not yet"
    translations._catalogue.cache_clear()  # pyright: ignore[reportPrivateUsage] - and back
    command = ["node", "--input-type=module", "-e", READ, str(source.parent / "locales")]
    answer = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    [[language, messages]] = json.loads(answer)
    assert (language, json.loads(messages)) == ("af", {"Close": "Maak toe"})


def test_the_build_looks_where_the_catalogues_are() -> None:
    place = translations.LOCALES.relative_to(REPOSITORY).as_posix()
    assert f'catalogues("{place}")' in (REPOSITORY / "build.mjs").read_text()

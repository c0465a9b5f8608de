"""One gettext catalogue for templates, mails and the offline apps; English is the source and needs no file."""

from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from lastlight.ui.reader import current_locale

LOCALES = Path(__file__).parents[1] / "locales"


ENGLISH = (
    ("en", "English (South Africa)"),
    ("en-GB", "English (United Kingdom)"),
    ("en-US", "English (United States)"),
)


def languages() -> list[tuple[str, str]]:
    """What a reader may choose: English with the dates and numbers of a country, and every language of the catalogue."""
    found = sorted(folder.name for folder in LOCALES.glob("*") if (folder / "LC_MESSAGES" / "messages.po").is_file())
    return [*ENGLISH, *((tag.replace("_", "-"), Locale.parse(tag).get_display_name() or tag) for tag in found)]


def gettext(text: str) -> str:
    """The text in the reader's language, or as it is."""
    return _catalogue(current_locale()).gettext(text)


def ngettext(one: str, many: str, n: int) -> str:
    """The form of the text that fits the number, in the reader's language."""
    return _catalogue(current_locale()).ngettext(one, many, n)


def pgettext(context: str, text: str) -> str:
    """The text as it is meant in this context."""
    return _catalogue(current_locale()).pgettext(context, text)


def npgettext(context: str, one: str, many: str, n: int) -> str:
    """The form that fits the number, as it is meant in this context."""
    return _catalogue(current_locale()).npgettext(context, one, many, n)


@lru_cache(maxsize=64)
def _catalogue(locale: str) -> NullTranslations:
    for tag in (locale, locale.split("_", maxsplit=1)[0]):
        source = LOCALES / tag / "LC_MESSAGES" / "messages.po"
        if source.is_file():
            compiled = BytesIO()
            with source.open("rb") as file:
                write_mo(compiled, read_po(file, locale=tag))
            compiled.seek(0)
            return GNUTranslations(compiled)
    return NullTranslations()

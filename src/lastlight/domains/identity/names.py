"""Addresses and names as people type them: made plain, or refused with what to do instead. Pure."""

import re
import unicodedata

from lastlight.kernel.emails import plain_email
from lastlight.kernel.errors import Invalid

LONGEST_EMAIL = 254
LONGEST_NAME = 120
ADDRESS = re.compile(r"^[^@\s\x00-\x1f\"(),:;<>\[\\\]]+@[^@\s\x00-\x1f]+\.[^@\s.\x00-\x1f]{2,}$")
LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)
UNSEEN = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u00ad")
"""Characters without a shape: they hide in a name, or turn the direction of what follows. Emoji and scripts need none of them."""


def clean_email(raw: str, *, field: str = "email") -> str:
    """An address in the spelling under which it is kept; Invalid when it cannot be one."""
    email = plain_email(raw)
    if len(email) > LONGEST_EMAIL or not ADDRESS.match(email) or not _visible(email):
        raise Invalid(fields={field: "Give an e-mail address such as name@example.com."})
    return email


def clean_name(raw: str, *, field: str = "name") -> str:
    """A name without needless spaces. Invalid when nothing is left, something in it cannot be seen, or it holds a link.

    A name goes into e-mails to addresses that nobody has proven; a link in it would make them somebody else's letter.
    """
    name = unicodedata.normalize("NFC", " ".join(raw.split()))
    if not name or len(name) > LONGEST_NAME:
        raise Invalid(fields={field: f"Write a name of at most {LONGEST_NAME} characters."})
    if not _visible(name):
        raise Invalid(fields={field: "Write the name without invisible characters; type it instead of pasting it."})
    if LINK.search(name):
        raise Invalid(fields={field: "Write the name without a web address."})
    return name


def _visible(text: str) -> bool:
    return not any(letter in UNSEEN or unicodedata.category(letter) in {"Cc", "Cs", "Co"} for letter in text)

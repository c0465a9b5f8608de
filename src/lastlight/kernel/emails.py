"""The one spelling of an e-mail address: what is kept, looked up and counted by."""

import unicodedata


def plain_email(raw: str) -> str:
    """An address in the one spelling under which it is kept, whether or not it can be one."""
    lower = unicodedata.normalize("NFC", raw.strip()).lower()
    return unicodedata.normalize("NFC", lower)  # a capital may turn into a letter and a mark that are one letter

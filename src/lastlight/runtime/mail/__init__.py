"""Outgoing mail: written in the transaction of whoever sends it, delivered afterwards; without a server it is kept."""

from lastlight.runtime.mail.send import send_mail

__all__ = ["send_mail"]

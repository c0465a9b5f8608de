"""The error that ends a start: one sentence for the person at the terminal."""


class StartError(Exception):
    """Why the platform cannot start; the message is one sentence that says what to do."""

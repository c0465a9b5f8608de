"""Last Light: the operating system of a night out."""

__version__ = "0.1.0"

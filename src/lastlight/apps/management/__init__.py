"""Management: a night as it happens, and the lists behind it."""

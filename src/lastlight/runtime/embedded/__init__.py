"""The embedded PostgreSQL: a server of our own for a machine that has none."""

"""The apps: for each kind of person a shell with its own places, over the same domains."""

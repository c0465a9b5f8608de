"""The reference in docs/reference, made of the registry, the settings and the schema: `lastlight docs`."""

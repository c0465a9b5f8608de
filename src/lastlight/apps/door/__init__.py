"""The door scanner: an app of its own for the devices of a venue's door."""

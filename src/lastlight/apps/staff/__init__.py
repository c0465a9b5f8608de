"""Staff: the floor from a phone."""

"""Plays guests and doors through the public API: seeded, at any speed and size."""

"""Doors to every app: signing in and out, registering, proving an address, one's own account."""

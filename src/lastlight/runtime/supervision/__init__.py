"""One process that starts everything, starts it again when it dies, and stops it cleanly."""

"""Owner: all venues, people and roles, settings, audit."""

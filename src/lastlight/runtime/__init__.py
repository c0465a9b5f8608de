"""The mechanisms, each written once: HTTP, database, events, jobs, audit, sign-in, files, observability."""

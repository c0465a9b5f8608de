"""What departs from the rule, each with its reason. A table that is not named here is a tenant table that guests may not touch."""

GLOBAL_TABLES = {
    "tenants": "the slug is unique over the platform, and sign-in looks tenants up",
    "users": "one identity may be a member of several tenants",
    "user_preferences": "belongs to the identity, wherever it is signed in",
    "sessions": "a guest's session has no tenant yet",
    "refresh_tokens": "found by hash before any tenant is known",
    "one_time_tokens": "found by hash before any tenant is known",
    "authenticators": "the second factor is the identity's, shown before any tenant is known",
    "recovery_codes": "the second factor is the identity's, shown before any tenant is known",
    "passkeys": "found by the credential's id before any tenant is known",
    "passkey_challenges": "signed before anybody is known",
    "job_schedules": "the platform's own schedule",
    "queue.pgqueuer": "the carrier of every tenant's jobs; holds two ids",
    "queue.pgqueuer_log": "the carrier's own record",
    "queue.pgqueuer_statistics": "the carrier's own figures",
    "feature_flags": "the platform's own answer for every business",
    "secret_sightings": "fingerprints of the deployment's own secrets",
    "rate_limits": "keys are digests of addresses and accounts",
    "schema_migrations": "the migration runner's own record",
}
UNPROTECTED_TABLES = {"schema_migrations": "names of files; readable by the looker and the system only"}

GUEST_READS = {
    "tenant_brands": "the patron app wears the business's logo and accent",
    "tenant_modules": "the patron app asks what is switched on",
    "tenant_settings": "a check-in reads the tenant's rules",
    "tenant_sequences": "sockets greet with the stream's last number",
    "venues": "guests see where they can go",
    "venue_keys": "a check-in verifies its code in the guest's own transaction; secrets are sealed",
    "resources": "guests see what they can book",
    "venue_banners": "the patron app shows them",
    "door_rules": "a check-in reads what the venue asks",
    "entry_prices": "a check-in reads what the entrance costs",
    "tax_categories": "what a guest orders is taxed in the guest's own transaction",
    "tax_rates": "what a guest orders is taxed in the guest's own transaction",
    "tenant_flags": "a guest's own requests ask what is switched on",
}
"""A guest of the tenant reads every row."""

GUEST_APPENDS = {
    "idempotency_keys": "a guest's own requests are idempotent too",
    "outbox": "a guest's check-in says that it happened",
    "jobs": "a guest's action may queue work",
    "staged_actions": "a guest's action may call somebody outside",
    "outgoing_mail": "a guest's action may send a mail",
    "payment_steps": "a guest's own wish to pay is a step of it",
}
"""A guest of the tenant adds rows."""

GUEST_OWNS = {
    "patrons": ("id", "patron"),
    "patron_keys": ("patron_id", "patron"),
    "events": ("patron_id", "patron"),
    "files": ("patron_id", "patron"),
    "checkins": ("patron_id", "patron"),
    "checkin_revocations": ("patron_id", "patron"),
    "entry_charges": ("patron_id", "patron"),
    "visits": ("patron_id", "patron"),
    "safety_checks": ("patron_id", "patron"),
    "help_calls": ("patron_id", "patron"),
    "bookings": ("patron_id", "patron"),
    "venue_images": ("patron_id", "patron"),
    "ledger_accounts": ("patron_id", "patron"),
    "payments": ("patron_id", "patron"),
    "refunds": ("patron_id", "patron"),
    "payment_secrets": ("patron_id", "patron"),
    "credit_accounts": ("patron_id", "patron"),
    "credit_lots": ("patron_id", "patron"),
    "credit_entries": ("patron_id", "patron"),
    "credit_uses": ("patron_id", "patron"),
}
"""A guest reads and writes rows that carry its own patron id in this column."""

GUEST_FOLLOWS = {
    "idempotency_keys": ("user_id", "user"),
    "jobs": ("created_by", "user"),
}
"""A guest reads rows that carry its own id in this column, and no other."""

DEFINER_FUNCTIONS: dict[str, str] = {
    f"ll.ledger_{name}": f"the only writers of the ledger: {why}"
    for name, why in {
        "open": "opens an account",
        "keep": "keeps others from moving an account for a moment",
        "close": "closes an empty account, or opens it again",
        "post": "posts a transaction whole or not at all",
        "post_batch": "posts many, each by itself",
        "keep_open": "holds an account until the transaction ends, and opens one that was closed",
        "reverse": "takes back no more than was moved",
        "hold": "sets aside what is available",
        "capture": "moves what is held",
        "void": "lets go of what is held",
        "expire": "lets go of what was held too long",
        "roll_up": "sums up deferred accounts",
        "seal": "seals what was written",
    }.items()
}
"""Functions that run with their owner's rights; the owner is held to the tenant by policies."""

PERSONAL = frozenset({"saved_views"})
"""Tables of which everybody, staff too, reaches only the rows of their own user."""

"""The audit chain: hash-chained entries per tenant, signed checkpoints, and the verification that walks both."""

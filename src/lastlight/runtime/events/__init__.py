"""Events on their way: the outbox in the change's transaction, the relay that orders them, the catch-up after a gap."""

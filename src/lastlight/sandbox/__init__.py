"""A payment processor for one machine: a server that speaks Stripe's wire protocol and moves no money (docs/sandbox.md)."""

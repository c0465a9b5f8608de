"""Who asks: tokens, cookies, passwords, and the way from a request's credentials to an Actor."""

"""Keys: what lies sealed under the secret key, since when each secret is as it is, and how they are rotated."""

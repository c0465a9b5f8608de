"""What the platform tells about itself: logs, metrics, traces, errors, health. Never a secret, never a person."""

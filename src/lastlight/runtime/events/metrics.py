"""What the relay tells Prometheus: how far behind it is, and what holds it back."""

from prometheus_client import Counter, Gauge, Histogram

RELAYED = Counter(
    "lastlight_relay_events_total",
    "Events moved from the outbox into their tenant's stream: check-ins, visits and all else, by name.",
    ["name"],
)
REACTIONS_FAILED = Counter("lastlight_relay_reactions_failed_total", "Reactions that could not be queued.", ["job"])
LEADING = Gauge("lastlight_relay_leading", "1 in the process whose relay leads.", multiprocess_mode="liveall")
BACKLOG = Gauge(
    "lastlight_relay_backlog", "Events that wait in the outbox, counted to 10,000.", multiprocess_mode="livemostrecent"
)
OLDEST_SECONDS = Gauge(
    "lastlight_relay_oldest_seconds", "Age of the oldest event in the outbox.", multiprocess_mode="livemostrecent"
)
HELD_SECONDS = Gauge(
    "lastlight_relay_held_seconds",
    "For how long an open transaction has held back events that are already committed.",
    multiprocess_mode="livemostrecent",
)
BATCH_SECONDS = Histogram(
    "lastlight_relay_batch_seconds",
    "Time to move one batch.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
)
LAG_SECONDS = Histogram(
    "lastlight_relay_lag_seconds",
    "From an event's transaction to its place in the stream.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)

"""What the sockets tell Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

SEATS = Gauge("lastlight_realtime_sockets", "Sockets that are signed in.", ["kind"], multiprocess_mode="livesum")
SENT = Counter("lastlight_realtime_packets_total", "Event packets given to sockets.", ["way"])
SENT_DIRECT, SENT_QUEUED = SENT.labels("direct"), SENT.labels("queued")
CLOSED = Counter("lastlight_realtime_closed_total", "Sockets that we closed.", ["why"])
REFUSED = Counter("lastlight_realtime_refused_total", "Connections that were refused.", ["type"])
FAN_OUT_SECONDS = Histogram(
    "lastlight_realtime_fan_out_seconds",
    "Time to give one event to all of its sockets.",
    buckets=(0.0005, 0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 1),
)
DELAY_SECONDS = Histogram(
    "lastlight_realtime_delay_seconds",
    "From the start of an event's transaction until it was given to its sockets.",
    buckets=(0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)

"""Prometheus metrics that all services share; each process exposes its own at /metrics."""

from prometheus_client import Counter, Gauge, Histogram

PUBLISHED = Counter("dwell_published_items_total", "Items acknowledged by Kafka", ["topic"])
CONSUMED = Counter("dwell_consumed_items_total", "Items read from Kafka and handled", ["topic"])
QUARANTINED = Counter("dwell_quarantined_items_total", "Items refused, by reason", ["reason_code"])
LAG = Gauge("dwell_lag_records", "Records behind the log end", ["topic"])
HANDLE_SECONDS = Histogram("dwell_handle_seconds", "Time to handle one record or batch", ["topic"])

"""The consumer groups: by their committed offsets others see how far a service has come."""

PROCESSOR = "dwell-processor"
INSIGHTS = "dwell-insights"
SINK = "dwell-sink"
MIRROR = "dwell-ingest"
"""At the Kafka of a customer whose topic is mirrored, which may be our own."""

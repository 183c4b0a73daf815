"""A processor with next to no memory: put this folder on PYTHONPATH."""

from services.processor.domain import buckets

buckets.SESSIONS_BYTES = 300
buckets.INDEX_BYTES = 60

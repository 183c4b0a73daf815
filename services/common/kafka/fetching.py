"""How consumers that are in a hurry fetch."""

FETCH_WAIT_MS = 25
"""How long a broker keeps a fetch waiting while there is nothing to give.

A partition whose last records are still at hand is left out of the next fetch, and what it gets meanwhile waits for
that fetch to end: as long as this, when the other partitions are quiet. aiokafka's own value is 500.
"""

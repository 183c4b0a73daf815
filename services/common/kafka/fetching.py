"""How consumers fetch live traffic: not each record by itself, and not much later than it came."""

FETCH_WAIT_MS = 20
"""How long a broker keeps a fetch waiting for `FETCH_MIN_BYTES`.

Also how long a record may wait that came for a partition whose last records were still at hand when the fetch began,
because such a partition is left out of it. aiokafka's own value is 500.
"""

FETCH_MIN_BYTES = 16 * 1024
"""Some twenty live records: a fetch for each would cost more than all the rest of its way."""

"""Times as releases and leases write them."""

import time

FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> str:
    """Return the time, UTC, as 2026-11-22T21:30:41Z."""
    return time.strftime(FORMAT, time.gmtime())

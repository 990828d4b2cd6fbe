"""How many files the process may have open, of which each connection is one."""

import resource
from contextlib import suppress

# For the model, the log and the libraries.
OTHERS = 256


def allow_connections(count: int) -> None:
    """Raise the process's own limit, as far as it may, so that it can hold so many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))

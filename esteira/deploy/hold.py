"""Holding an environment, so that of several deploys to it one goes on."""

from functools import lru_cache
from typing import Callable, ContextManager

from esteira.release.lease import Lease, hold_lease
from esteira.release.store import Store
from esteira.settings import Settings

# How long a deploy here waits for another one, unless deploy.wait_s says so.
LOCAL_WAIT_S = 600


def held(settings: Settings, store: Store, what: str, say: Callable[[str], None]) -> "ContextManager[Lease]":
    """Hold the environment as the settings say."""
    return hold_lease(
        store,
        what=what,
        lease_s=settings.deploy.lease_s,
        wait_s=wait_s(settings),
        report=say,
        has_ended=ended_builds(settings),
    )


def wait_s(settings: Settings) -> int:
    """Return how long another deploy's end is waited for.

    In Google Cloud that is as long as its build may wait and take, so that of two pushes the second one queues.
    """
    given = settings.deploy.wait_s
    if given >= 0:
        return given
    return LOCAL_WAIT_S if settings.is_local else settings.deploy.start_s + settings.build.timeout_s


def has_ended(settings: Settings, build: str) -> bool:
    """Return whether a build that the environment's lease was handed over to is over."""
    return ended_builds(settings)(build)


def ended_builds(settings: Settings) -> Callable[[str], bool]:
    """Return what tells of a build whether it is over; it logs in once, however often it is asked."""
    from esteira.builds.submit import is_over
    from esteira.google.open import open_api

    api = lru_cache(maxsize=None)(lambda: open_api(settings))
    return lambda build: not settings.is_local and is_over(settings, api(), build)

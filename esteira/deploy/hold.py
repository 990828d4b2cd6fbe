"""Holding an environment, so that of several deploys to it one goes on."""

from typing import Callable, ContextManager

from esteira.release.lease import Lease, hold_lease
from esteira.release.store import Store
from esteira.settings import Settings


def held(settings: Settings, store: Store, what: str, say: Callable[[str], None]) -> "ContextManager[Lease]":
    """Hold the environment as the settings say."""
    timing = settings.deploy
    return hold_lease(
        store,
        what=what,
        lease_s=timing.lease_s,
        wait_s=timing.wait_s,
        report=say,
        has_ended=lambda build: has_ended(settings, build),
    )


def has_ended(settings: Settings, build: str) -> bool:
    """Return whether a build that the environment's lease was handed over to is over."""
    from esteira.builds.submit import is_over
    from esteira.google.open import open_api

    return not settings.is_local and is_over(settings, open_api(settings), build)

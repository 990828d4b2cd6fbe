"""The order that a step of a build works on: given by the deploy, or made where a step is typed by hand."""

from contextlib import contextmanager
from typing import Iterator, Optional

from esteira.deploy.decide import decide
from esteira.deploy.planned import planned
from esteira.deploy.run import held
from esteira.release.order import Order, read_order
from esteira.release.store import open_store
from esteira.settings import Settings

REASON = "steps typed by hand"


def given_order(text: Optional[str]) -> Optional[Order]:
    """Return what the deploy decided, None where a step is typed by hand; BuildError if it cannot be read."""
    return read_order(text) if text else None


def order_here(settings: Settings, text: Optional[str], *, force: bool = False, lease: str = "") -> Order:
    """Return what the deploy decided or, where a step is typed by hand, a full deploy of what is here.

    Raises PlanError if that would bring back an older state.
    """
    given = given_order(text)
    if given is not None:
        return given
    store = open_store(settings)
    with planned(settings, store) as work:
        decide(work.plan, "full", force=force)
        work.lay(store)
        return work.order("full", asked_by=REASON, force=force, lease=lease)


@contextmanager
def held_order(settings: Settings, text: Optional[str], *, force: bool) -> Iterator[Order]:
    """Yield the order; where a step is typed by hand the environment is held meanwhile, as a deploy holds it."""
    given = given_order(text)
    if given is not None:
        yield given
        return
    with held(settings, open_store(settings), "inv promote", print) as lease:
        yield order_here(settings, None, force=force, lease=lease.token)

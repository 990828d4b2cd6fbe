"""The order that a step of a build works on: given by the deploy, or made where a step is typed by hand."""

from typing import Optional

from esteira.deploy.planned import planned
from esteira.release.order import Order, read_order
from esteira.release.store import open_store
from esteira.settings import Settings


def given_order(text: Optional[str]) -> Optional[Order]:
    """Return what the deploy decided, None where a step is typed by hand; BuildError if it cannot be read."""
    return read_order(text) if text else None


def order_here(settings: Settings, text: Optional[str]) -> Order:
    """Return what the deploy decided or, where a step is typed by hand, a full deploy of what is here."""
    given = given_order(text)
    if given is not None:
        return given
    with planned(settings, open_store(settings)) as work:
        return work.order("full")

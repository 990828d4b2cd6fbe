"""The order that a step of a build works on: given by the deploy, or made where a step is typed by hand."""

from contextlib import contextmanager
from typing import Iterator, Optional

from esteira.deploy.hold import held
from esteira.release.lease import check_lease
from esteira.release.lease_handed import drop_token, renewed_lease
from esteira.release.order import Order, read_order
from esteira.release.store import open_store
from esteira.settings import Settings

REASON = "steps typed by hand"


@contextmanager
def given_order(settings: Settings, text: Optional[str], step: str, build: str = "") -> Iterator[Optional[Order]]:
    """Yield what the deploy decided, None where the step is typed by hand; BuildError if it cannot be read.

    `build` is the id of the build that the step is one of.

    In Google Cloud the step renews the lease meanwhile, which was handed over to the build; on this machine
    the deploy, which waits for the build, does. Raises LeaseError if the build has lost it, as where its submission
    was given up: what it would do then is for nothing.
    """
    order = read_order(text) if text else None
    if order is None or settings.is_local or not order.lease:
        yield order
        return
    store, lease_s = open_store(settings), settings.deploy.lease_s
    check_lease(store, order.lease)
    with renewed_lease(store, order.lease, lease_s=lease_s, doing=f"step {step}", build=build):
        yield order


@contextmanager
def step_order(
    settings: Settings, text: Optional[str], step: str, build: str = "", *, force: bool = False
) -> Iterator[Order]:
    """Yield what the deploy decided or, where a step is typed by hand, a full deploy of what is here.

    Raises PlanError if that would bring back an older state.
    """
    with given_order(settings, text, step, build) as order:
        yield order or order_here(settings, force=force)


def order_here(settings: Settings, *, force: bool, lease: str = "") -> Order:
    from esteira.deploy.decide import decide
    from esteira.deploy.planned import planned

    store = open_store(settings)
    with planned(settings, store) as work:
        decide(work.plan, "full", force=force)
        work.lay(store)
        return work.order("full", asked_by=REASON, force=force, lease=lease)


@contextmanager
def last_order(settings: Settings, text: Optional[str], step: str, build: str = "", *, force: bool) -> Iterator[Order]:
    """Yield the order of a build's last step, after which the next deploy may begin.

    Where the step is typed by hand the environment is held meanwhile, as a deploy holds it.
    """
    with given_order(settings, text, step, build) as order:
        if order is None:
            with held(settings, open_store(settings), f"inv {step}", print) as lease:
                yield order_here(settings, force=force, lease=lease.token)
            return
        yield order
    if not settings.is_local:
        drop_token(open_store(settings), order.lease)

"""A lease that was handed over to a build in Google Cloud: whichever of its steps runs renews it."""

import threading
from contextlib import contextmanager, suppress
from typing import Iterator, Optional

from esteira.errors import EsteiraError, StateError
from esteira.release.lease_object import NO_PROCESS, drop_lease, find_lease, write_lease
from esteira.release.store.interface import ConflictError, Store

RENEWALS = 3


@contextmanager
def renewed_lease(store: Store, token: str, *, lease_s: float, doing: str, build: str = "") -> Iterator[None]:
    """Renew the lease with this token while the block runs; drop it if the block fails, as the build fails then.

    `build` is the one that the block is a step of. One that the lease was not handed over to drops nothing: gcloud
    makes two builds of a deploy where an answer is lost, and one of them is soon ended.
    A lease that somebody else has by now stays theirs: `check_lease` tells so before anything is promoted.
    """
    over = threading.Event()
    thread = threading.Thread(target=keep_renewing, args=(store, token, lease_s, doing, over), daemon=True)
    thread.start()
    failed = True
    try:
        yield
        failed = False
    finally:
        over.set()
        thread.join()
        if failed:
            with suppress(StateError):
                drop_token(store, token, build)


def keep_renewing(store: Store, token: str, lease_s: float, doing: str, over: threading.Event) -> None:
    while not over.is_set():
        try:
            if not renew(store, token, lease_s, doing):
                return
        except ConflictError:
            over.wait(0.1)  # Another step of the build was faster.
            continue
        except EsteiraError:
            pass  # The store is out of reach now, and may not be at the next renewal.
        over.wait(lease_s / RENEWALS)


def renew(store: Store, token: str, lease_s: float, doing: str) -> bool:
    """Make the lease last for `lease_s` seconds more; return whether it is still the token's."""
    held, generation = find_lease(store)
    if held is None or held.token != token:
        return False
    write_lease(store, held.copy(update={**NO_PROCESS, "doing": doing}), lease_s, generation)
    return True


def drop_token(store: Store, token: str, build: Optional[str] = None) -> None:
    """Let the next one have the environment, if the lease is still the token's and, where one is given, the build's."""
    held, generation = find_lease(store)
    if held is not None and held.token == token and build in (None, held.build):
        drop_lease(store, generation)

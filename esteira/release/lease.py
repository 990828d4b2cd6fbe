"""An environment's lease: one deploy at a time holds it, and renews it until it is over.

Every change of it is bound to the generation that its writer has seen, so that of many only one succeeds.
"""

import os
import secrets
import shlex
import threading
import time
from contextlib import contextmanager
from typing import Callable, Iterator, Optional

from esteira.errors import LeaseError, StateError
from esteira.release.holder import process_start, this_machine, whoami
from esteira.release.lease_object import LEASE, NO_PROCESS, LeaseInfo, drop_lease, find_lease, now, write_lease
from esteira.release.store.interface import ConflictError, Store

__all__ = ["Lease", "LeaseInfo", "check_lease", "hold_lease", "read_lease"]

POLL_S = 1.0
# A build takes its time, and two servers are asked about it.
BUILD_POLL_S = 5.0
RENEWALS = 3

Report = Callable[[str], None]
HasEnded = Callable[[str], bool]


def is_unknown(build: str) -> bool:
    """Tell of no build that it has ended."""
    return False


class Lease:
    """A lease that is held. A thread renews it until it is dropped."""

    def __init__(self, store: Store, info: LeaseInfo, generation: int, lease_s: float) -> None:
        self._store = store
        self._info = info
        self._generation = generation
        self._lease_s = lease_s
        self._changed = threading.Event()
        self._over = False
        self._handed_over = False
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    @property
    def token(self) -> str:
        """What `check_lease` knows it by, in another process of the same deploy."""
        return self._info.token

    def doing(self, text: str) -> None:
        """Tell those who wait what is being done, such as "step run". Returns at once."""
        self._info = self._info.copy(update={"doing": text})
        self._changed.set()

    def drop(self) -> None:
        """Let the next one have it, if it is still ours. Raises StateError if the store cannot be written."""
        self._stop()
        if not self._handed_over:
            drop_lease(self._store, self._generation)

    def hand_over(self, build: str, start_s: float) -> None:
        """Leave the lease to a build, whose steps renew it by its token from `start_s` seconds on, at the latest.

        Where a step was faster and has renewed it already, the build's id is added; a lease that the build has
        dropped, or somebody else has, stays as it is.
        """
        self._stop()
        self._handed_over = True
        held: Optional[LeaseInfo] = self._info.copy(update={"doing": ""})
        while held and held.token == self.token:
            info = held.copy(update={**NO_PROCESS, "build": build})
            try:
                self._generation = write_lease(self._store, info, start_s, self._generation)
                return
            except ConflictError:
                held, self._generation = find_lease(self._store)

    def _stop(self) -> None:
        self._over = True
        self._changed.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._over:
            self._changed.wait(self._lease_s / RENEWALS)
            self._changed.clear()
            if self._over:
                return
            try:
                self._generation = write_lease(self._store, self._info, self._lease_s, self._generation)
            except ConflictError:
                return  # It was taken over, which check_lease tells.
            except StateError:
                continue  # The store is out of reach now, and may not be at the next renewal.


@contextmanager
def hold_lease(
    store: Store, *, what: str, lease_s: float, wait_s: float, report: Report, has_ended: HasEnded = is_unknown
) -> Iterator[Lease]:
    """Hold the environment of a store; another deploy's end is waited for, for `wait_s` seconds.

    `has_ended` tells of a lease that was handed over to a build whether that build is over.

    `what` says what for, such as "full deploy of 1a2b3c4"; `report` is told, once for each holder, whom
    is waited for, and what was taken over. The lease ends `lease_s` after its last renewal. Raises
    LeaseError if another deploy still holds it, StateError if the store cannot be read or written.
    """
    lease = take_lease(store, what, lease_s, wait_s, report, has_ended)
    try:
        yield lease
    finally:
        try:
            lease.drop()
        except StateError as error:
            report(f"the lease could not be dropped and ends by itself within {lease_s:g} s: {error}")


def take_lease(store: Store, what: str, lease_s: float, wait_s: float, report: Report, has_ended: HasEnded) -> Lease:
    limit_s = time.monotonic() + wait_s
    told = ""
    while True:
        held, generation = find_lease(store)
        if held is None or held.stale or (held.build and has_ended(held.build)):
            lease = try_lease(store, what, lease_s, generation)
            if lease and held:
                report(f"took over from {held.describe()}: it ended without a word")
            if lease:
                return lease
            held = find_faster(store, generation)
        left_s = limit_s - time.monotonic()
        if left_s <= 0:
            raise held_error(store, held, wait_s) if held else outrun_error(store, wait_s)
        if held and held.token != told:
            report(f"waiting for {held.describe()} …")
            told = held.token
        poll_s = BUILD_POLL_S if held and held.build else POLL_S
        time.sleep(min(poll_s, lease_s / RENEWALS, left_s))


def find_faster(store: Store, generation: int) -> Optional[LeaseInfo]:
    """Return who changed the lease after it was seen, None if it is free again; StateError if nobody did."""
    held, found = find_lease(store)
    if found != generation:
        return held
    place = f"{store.uri}/{LEASE}"
    raise StateError(
        f"{place}: cannot be written: something else, such as a folder, is in its place.\n"
        f"Expected what a deploy writes. See what lies there, then remove it: rm -r {shlex.quote(place)}"
    )


def try_lease(store: Store, what: str, lease_s: float, generation: int) -> Optional[Lease]:
    """Take the lease as it was seen; None if another one was faster."""
    process = os.getpid()
    info = LeaseInfo(
        holder=whoami(),
        pid=process,
        started=process_start(process),
        machine=this_machine(),
        what=what,
        since=now(),
        until=now(),
        token=secrets.token_hex(8),
    )
    try:
        return Lease(store, info, write_lease(store, info, lease_s, generation), lease_s)
    except ConflictError:
        return None


def read_lease(store: Store) -> Optional[LeaseInfo]:
    """Return the lease of an environment, None if nobody holds it; its `stale` tells whether it still counts."""
    return find_lease(store)[0]


def check_lease(store: Store, token: str) -> None:
    """Raise LeaseError unless the lease with this token still holds the environment."""
    held = read_lease(store)
    if held is None or held.token != token:
        by = f"by {held.describe()}" if held else "by another deploy, which has ended"
        raise LeaseError(
            f"{store.uri}/{LEASE}: was taken over {by}: this deploy did not renew it in time.\n"
            "Expected a machine that neither sleeps nor loses its network during a deploy. "
            "This deploy promotes nothing. Run it again."
        )


def outrun_error(store: Store, wait_s: float) -> LeaseError:
    return LeaseError(
        f"{store.uri}/{LEASE}: other deploys were faster again and again.\n"
        f"Expected to hold the environment within {wait_s:g} s (deploy.wait_s). Run: make status    "
        "Then run the command again."
    )


def held_error(store: Store, held: LeaseInfo, wait_s: float) -> LeaseError:
    end = "end it: make cancel" if not held.pid else f"end it on {held.holder.rpartition('@')[2]}: kill {held.pid}"
    return LeaseError(
        f"{store.uri}/{LEASE}: another deploy holds the environment: {held.describe()}.\n"
        f"Expected it to end within {wait_s:g} s (deploy.wait_s). Run: make status    If it hangs, {end}"
    )

"""The object `lease` of an environment's store: who holds the environment.

Its times are those of the holder's clock, and others compare them with their own: where clocks differ by more
than lease_s, a lease may be taken over from a holder that is alive. Even then no two deploys win: the first
one finds that it has lost the lease, and `current` moves from its known generation only.
"""

import json
from datetime import datetime, timedelta, timezone
from typing import Optional, Tuple

from pydantic import Field, ValidationError, validator

from esteira.errors import StateError
from esteira.release.holder import is_dead
from esteira.release.manifest import Frozen
from esteira.release.store.interface import ABSENT, ConflictError, Store
from esteira.release.store.names import remove_command

LEASE = "lease"
# What lies there when nobody holds it: it is not removed, since not every server binds that to a generation.
DROPPED = b"{}\n"
# A lease that a build has: no process of a machine holds it, so none of them can be told to be dead.
NO_PROCESS = {"pid": 0, "started": 0, "machine": ""}


class LeaseInfo(Frozen):
    """Who holds an environment, and for what."""

    holder: str = Field(description="As user@host")
    pid: int
    started: int = Field(description="When the process started, in clock ticks since the boot")
    machine: str = Field(description="Its last boot and space of process numbers; empty if unknown")
    what: str = Field(description="Such as: full deploy of 1a2b3c4")
    doing: str = Field("", description="Such as: step run")
    since: datetime
    until: datetime
    token: str = Field(description="Of this lease alone, by which its holder knows it again")
    build: str = Field("", description="The id of the Cloud Build build that it was handed over to; empty for none")

    @validator("since", "until")
    def check_zone(cls, value: datetime) -> datetime:
        if value.utcoffset() is None:
            raise ValueError("has no time zone")
        return value

    @property
    def stale(self) -> bool:
        """Whether another may take it over: it was not renewed in time, or its process here is dead."""
        return self.until <= now() or is_dead(self.pid, self.started, self.machine)

    def describe(self) -> str:
        """Return it as: ml@host (full deploy of 1a2b3c4, since 21:04:05 UTC, build 0a1b, step run)."""
        day = "%H:%M:%S" if self.since.date() == now().date() else "%Y-%m-%d %H:%M:%S"
        build = f"build {self.build}" if self.build else ""
        facts = [self.what, f"since {self.since.astimezone(timezone.utc):{day}} UTC", build, self.doing]
        return f"{self.holder} ({', '.join(fact for fact in facts if fact)})"


def find_lease(store: Store) -> Tuple[Optional[LeaseInfo], int]:
    """Return the lease, None if nobody holds it, and the generation of its object."""
    stored = store.read(LEASE)
    if stored is None:
        return None, ABSENT
    place = f"{store.uri}/{LEASE}"
    try:
        values = json.loads(stored.content)
        return (LeaseInfo(**values) if values else None), stored.generation
    except (ValueError, TypeError, ValidationError) as error:
        raise StateError(
            f"{place}: is no lease that this version can read: {error}\n"
            f"Expected what a deploy writes. If no deploy runs, remove it: {remove_command(place)}"
        ) from None


def write_lease(store: Store, info: LeaseInfo, lease_s: float, generation: int) -> int:
    """Write a lease that ends in `lease_s` seconds; ConflictError if another one was faster."""
    renewed = info.copy(update={"until": now() + timedelta(seconds=lease_s)})
    return store.write(LEASE, f"{renewed.json(indent=2)}\n".encode(), if_generation=generation)


def drop_lease(store: Store, generation: int) -> None:
    """Let the next one have the environment; nothing is done where somebody else has changed the lease."""
    try:
        store.write(LEASE, DROPPED, if_generation=generation)
    except ConflictError:
        return


def now() -> datetime:
    return datetime.now(timezone.utc)

"""What is missing, different or superfluous in an environment's project."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import List, NamedTuple

from esteira.cloud.part import Part
from esteira.cloud.resources import parts
from esteira.cloud.row import Row
from esteira.cloud.services import Enabled, read_services
from esteira.cloud.superfluous import superfluous
from esteira.google.api import Api
from esteira.settings import Settings

# Requests at a time: Google counts them by the minute, and none is large.
AT_ONCE = 8


class Seen(NamedTuple):
    """A part and how it stands."""

    part: Part
    rows: List[Row]

    @property
    def is_to_make(self) -> bool:
        """Return whether `make cloud-apply` has something to do for it; a part that shows nothing may always have."""
        return not self.rows or any(row.state != "ok" and not row.remedy for row in self.rows)


@dataclass(frozen=True)
class Plan:
    """How everything stands, in the order that it is made in."""

    enabled: Enabled
    seen: List[Seen]

    @property
    def rows(self) -> List[Row]:
        return [row for seen in self.seen for row in seen.rows]

    @property
    def to_do(self) -> List[Row]:
        """Return what `make cloud-apply` will do."""
        return [row for row in self.rows if row.state != "ok" and not row.remedy]

    @property
    def wrong(self) -> List[Row]:
        """Return what no one can change: a setting has to be another one."""
        return [row for row in self.rows if row.state == "different" and row.remedy]

    @property
    def left(self) -> List[Row]:
        """Return what only a person can do."""
        return [row for row in self.rows if row.state == "missing" and row.remedy]


def make_plan(settings: Settings, api: Api) -> Plan:
    """Return how the chosen environment's project stands. Nothing is changed.

    Raises GoogleError if the project is not to be had, or something may not be read.
    """
    enabled = read_services(api)
    found = [*parts(settings, enabled), *superfluous(settings, api, enabled)]

    def look(part: Part) -> Seen:
        return Seen(part, part.look(api) if enabled.services[part.service] else part.absent())

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Plan(enabled, list(pool.map(look, found)))

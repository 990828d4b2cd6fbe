"""The time of a stand-in, which tests may set."""

import time
from dataclasses import dataclass
from typing import Callable

DAY_S = 86400


@dataclass
class Clock:
    """Tells times as Google's APIs do: RFC 3339 in UTC with microseconds, so that later ones are greater texts."""

    time_s: Callable[[], float] = time.time

    def now(self, later_s: float = 0.0) -> str:
        moment_s = self.time_s() + later_s
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment_s))
        return f"{seconds}.{int(moment_s % 1 * 1e6):06d}Z"

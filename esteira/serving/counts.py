"""What the server counts, as plain numbers: each is written by one thread alone, so that no lock is needed."""

from bisect import bisect_left
from collections import Counter
from typing import Counter as CounterOf
from typing import List, Sequence, Tuple

# Seconds, and rows, up to which the histograms count.
LATENCIES_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


class Histogram:
    """How many values lie up to each bound, and above the last one."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> List[Tuple[str, int]]:
        """Return the upper bound of each bucket and how many values lie up to it, as Prometheus has them."""
        found, below = [], 0
        for bound, count in zip([*map(str, self._bounds), "+Inf"], list(self._counts)):
            below += count
            found.append((bound, below))
        return found


class Counts:
    """What the event loop counts; `answers` by route, status and the model's version, "" where no model was asked."""

    def __init__(self) -> None:
        self.answers: CounterOf[Tuple[str, int, str]] = Counter()
        self.rows: CounterOf[str] = Counter()
        self.latency = Histogram(LATENCIES_S)
        self.log_records = 0
        self.log_failures = 0
        # Written by the thread that loads models.
        self.reloads = 0
        self.failed_reloads = 0

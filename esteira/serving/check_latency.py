"""How long a request of one text takes."""

import math
import statistics
import time
from typing import List, Mapping, Sequence

from esteira.serving.checks import Check
from esteira.serving.probe import Probe, encoded

NAME = "latency of one text"
WARM_UP, REQUESTS = 5, 50
# A slow model is not asked for ever: after this it is known well enough.
ENOUGH_S = 10.0
FEWEST = 5


def check_latency(probe: Probe, instance: Mapping[str, str], budget_ms: int) -> Check:
    """Ask about one text again and again, one at a time, and compare the median with the budget."""
    took_ms = measure_ms(probe, instance)
    median_ms = statistics.median(took_ms)
    slowest_ms = sorted(took_ms)[math.ceil(len(took_ms) * 0.99) - 1]
    observed = f"p50 {median_ms:.1f} ms, p99 {slowest_ms:.1f} ms of {len(took_ms)} requests"
    return Check(NAME, median_ms <= budget_ms, f"p50 of at most {budget_ms} ms", observed)


def measure_ms(probe: Probe, instance: Mapping[str, str]) -> Sequence[float]:
    body = encoded(instances=[instance])
    begun_s = time.monotonic()
    took_ms: List[float] = []
    for number in range(WARM_UP + REQUESTS):
        if len(took_ms) >= FEWEST and time.monotonic() - begun_s > ENOUGH_S:
            break
        took_s = probe.send(body).took_s
        if number >= WARM_UP:
            took_ms.append(took_s * 1000)
    return took_ms

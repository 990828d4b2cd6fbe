"""How much the server takes at once, and for how long."""

import argparse
from typing import List, NamedTuple

from esteira.settings.serving import ServingSettings

MB = 1 << 20
# Of all connections together: so many bodies of the largest size may be held until they are answered.
HELD_BODIES = 32


class Limits(NamedTuple):
    """Of one request its body and its rows; of all together the rows that wait for a model, and the bodies held.

    `timeout_s` is how long a request may take from its head to its answer.
    """

    max_body_bytes: int = 8 * MB
    max_rows: int = 8192
    max_waiting: int = 1024
    timeout_s: float = 30.0

    @property
    def max_held_bytes(self) -> int:
        return HELD_BODIES * self.max_body_bytes


def limits_of(serving: ServingSettings) -> Limits:
    """Return the limits of the settings."""
    return Limits(serving.max_body_mb * MB, serving.max_rows, serving.max_waiting, float(serving.timeout_s))


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add the options that `limit_options` writes."""
    limits = Limits()
    parser.add_argument("--max-body-mb", type=int, default=limits.max_body_bytes // MB)
    parser.add_argument("--max-rows", type=int, default=limits.max_rows, help="in one request")
    parser.add_argument("--max-waiting", type=int, default=limits.max_waiting, help="rows that wait for the model")
    parser.add_argument("--timeout-s", type=float, default=limits.timeout_s, help="for a request")


def given_limits(given: argparse.Namespace) -> Limits:
    return Limits(given.max_body_mb * MB, given.max_rows, given.max_waiting, given.timeout_s)


def limit_options(limits: Limits) -> List[str]:
    """Return the limits as options of a server's command line."""
    options = {
        "--max-body-mb": limits.max_body_bytes // MB,
        "--max-rows": limits.max_rows,
        "--max-waiting": limits.max_waiting,
        "--timeout-s": limits.timeout_s,
    }
    return [str(text) for pair in options.items() for text in pair]

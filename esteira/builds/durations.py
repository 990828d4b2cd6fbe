"""Durations as Cloud Build writes them: seconds with the suffix s."""

import re

# Build and step timeouts may not be longer: https://cloud.google.com/build/quotas
MAX_TIMEOUT_S = 86400

DURATION = re.compile(r"([0-9]+(?:[.][0-9]{1,9})?)s")


def parse_duration_s(text: str) -> float:
    """Return the seconds of a Duration in its JSON form, such as 600s or 1.5s.

    https://protobuf.dev/reference/protobuf/google.protobuf/#duration
    Raises ValueError for any other form, such as 60m.
    """
    match = DURATION.fullmatch(text)
    if not match:
        raise ValueError(f'"{text}" is no duration; expected seconds with the suffix s, such as 600s')
    return float(match.group(1))

"""Where in a statement BigQuery has found a fault."""

import re

# As in: Unrecognized name: labl at [3:12]
PLACE = re.compile(r"\[([0-9]+):([0-9]+)\]")
LONGEST = 160


def place_in(sql: str, said: str) -> str:
    """Return the line that a message of BigQuery points at, with a mark below the column; "" if it points at none."""
    found = PLACE.search(said)
    lines = sql.splitlines()
    if not found or not 0 < int(found[1]) <= len(lines):
        return ""
    line, column = lines[int(found[1]) - 1], int(found[2]) - 1
    start = max(0, column - LONGEST // 2)
    return f"\n  {line[start : start + LONGEST]}\n  {' ' * (column - start)}^"

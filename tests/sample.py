"""A small data set for deploys that train in tests."""

import csv
from pathlib import Path

from tests.make import make

ROWS = {"train": 1500, "eval": 600}


def write_sample(clone: Path) -> Path:
    """Return a CSV in a clone with the first rows of the default data, which is fetched and prepared for it."""
    prepared = make(clone, "data")
    assert prepared.returncode == 0, prepared.stderr
    path = clone / "sample.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label", "source"])
        for split, count in ROWS.items():
            with (clone / "build" / "data" / split / f"{split}.csv").open(encoding="utf-8") as rows:
                writer.writerows(list(csv.reader(rows))[1 : count + 1])
    return path

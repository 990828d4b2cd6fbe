"""Finding the release and the run that made a model, by where the model lies."""

import os
from pathlib import Path
from typing import Iterator, List, Tuple

from esteira.errors import StateError
from esteira.release.lineage.records import RunRecords
from esteira.release.lineage.run import release_of_run
from esteira.release.manifest import Release


def find_made_model(model: str, history: List[Release], records: RunRecords) -> Tuple[Release, str]:
    """Return the release and the run that made the model at a place, or at a folder above it.

    Where the metadata knows nothing of it, the manifest of the oldest release that served it tells.
    Raises StateError if neither knows it, or if no release of its runs is in the history any more.
    """
    known = {release.id: release for release in history}
    for place in places_above(absolute_place(model)):
        runs = records.runs_with_model(place)
        for run in runs:
            if release_of_run(run, history):
                return known[release_of_run(run, history)], run
        if runs:
            raise StateError(
                f"MODEL={model}: was made by run {runs[0]}, whose release is no longer in the history.\n"
                "Expected a model of a release that make releases lists. Run: make releases"
            )
        serving = [release for release in history if release.outcome and release.outcome.model == place]
        if serving:
            return serving[-1], ""
    raise StateError(
        f"MODEL={model}: is no model of a release.\n"
        "Expected the folder of a served model, or the Trainer's artifact, as make lineage shows them. "
        "Run: make lineage"
    )


def absolute_place(model: str) -> str:
    return model.rstrip("/") if "://" in model else os.path.abspath(Path(model).expanduser())


def places_above(place: str) -> Iterator[str]:
    """Yield a path or URI and the folders above it, up to a root or a bucket."""
    while place and not place.endswith("/"):
        yield place
        place = place.rpartition("/")[0]

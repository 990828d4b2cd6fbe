"""`make tune`: a search for hyperparameters on the data that a deploy would train on."""

from pathlib import Path

from esteira.data.prepare import prepare_data
from esteira.data.user_csv import find_csv
from esteira.settings import Settings


def tune(settings: Settings) -> Path:
    """Search, and return the file that holds what was found. Imports TFX.

    Raises DataError for data that cannot be used, JobError if the search leaves no result.
    """
    work = settings.root / "build" / "tune"
    data = work / "data"
    prepare_data(settings, data, find_csv(settings))

    from pipeline.tuning import run_tuner

    best: Path = run_tuner(settings, data, work / "tfx")
    return best

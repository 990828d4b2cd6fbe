"""Texts of one's own whose labels are known, asked of every model that is to be served.

`smoke.csv` beside esteira.toml holds those of the default data, `reviews.smoke.csv` those of a CSV of one's own,
`reviews.csv`, beside it.
"""

import csv
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence

from esteira.errors import DataError
from esteira.release.inputs import readable_inputs
from esteira.release.manifest import Release
from esteira.release.partition import CSV
from esteira.release.store.interface import Store
from esteira.serving.checks import Check, in_json
from esteira.serving.probe import Probe, ask
from esteira.serving.recorded import Row
from esteira.settings import Settings

DEFAULT_FILE = "smoke.csv"
# Texts in one request.
CHUNK = 64
# A wrong label is a clear fault where the right one has less than this part of its probability.
CLEAR = 0.5


class Known(NamedTuple):
    """A text, its label, and where it stands."""

    text: str
    label: str
    place: str


def known_texts(settings: Settings, store: Store, release: Release) -> List[Known]:
    """Return the texts that are known of the data that a release was trained on, none if there is no such file.

    Raises DataError if the file cannot be read as a CSV with a text and a label in each row.
    """
    path = known_file(settings, is_default=trained_on_default(store, release))
    return read_known(path, settings) if path and path.is_file() else []


def trained_on_default(store: Store, release: Release) -> bool:
    """Return whether a release was trained on the default data, by what its data was made of."""
    inputs = readable_inputs(store, release.parts["data"].digest) if "data" in release.parts else None
    return inputs is not None and CSV not in inputs.values


def known_file(settings: Settings, *, is_default: bool) -> Optional[Path]:
    if is_default:
        return settings.root / DEFAULT_FILE
    own = settings.data.file
    return (settings.root / Path(own).expanduser()).with_suffix(".smoke.csv") if own else None


def read_known(path: Path, settings: Settings) -> List[Known]:
    """Return the texts of a file. Raises DataError that names a line of no use."""
    data = settings.data
    default = path.name == DEFAULT_FILE
    columns = ("text", "label") if default else (data.text_column, data.label_column)
    known: List[Known] = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        try:
            for row in reader:
                text, label = (row.get(column) for column in columns)
                if not text or not label:
                    raise ValueError(f"has no {' and no '.join(c for c in columns if not row.get(c))}")
                known.append(Known(text, label, f"{path.name}:{reader.line_num}"))
        except (ValueError, csv.Error) as error:
            # A text is decoded before its line is counted.
            undecoded = isinstance(error, UnicodeDecodeError)
            said = ": is not UTF-8" if undecoded else f":{reader.line_num}: {error}"
            raise DataError(f"{path}{said}. Expected a CSV with the columns {' and '.join(columns)}.") from None
    return known


def check_known(probe: Probe, known: Sequence[Known], labels: Sequence[str]) -> List[Check]:
    """Ask about the texts whose label the model has; each clear fault is a check that failed."""
    asked = [one for one in known if one.label in labels]
    rows = [
        row
        for start in range(0, len(asked), CHUNK)
        for row in ask(probe, [{"text": one.text} for one in asked[start : start + CHUNK]])
    ]
    wrong = [(one, row) for one, row in zip(asked, rows) if row["label"] != one.label]
    clear = [(one, row) for one, row in wrong if is_clear(one, row, labels)]
    faults = [
        Check(f"{one.place} {in_json(one.text[:60])}", False, one.label, told(row, one, labels)) for one, row in clear
    ]
    observed = f"{len(asked) - len(wrong)} right, {len(wrong) - len(clear)} nearly, {len(clear)} wrong"
    if len(known) > len(asked):
        observed += f"; {len(known) - len(asked)} of labels that the model has not"
    return [Check("known texts", not clear, f"none of {len(asked)} clearly wrong", observed), *faults] if known else []


def is_clear(known: Known, row: Row, labels: Sequence[str]) -> bool:
    """Return whether the model is far from the right label: that has less than half of the given one's probability."""
    of_right = row["probabilities"][list(labels).index(known.label)]
    return bool(of_right < CLEAR * row["confidence"])


def told(row: Row, known: Known, labels: Sequence[str]) -> str:
    of_right = row["probabilities"][list(labels).index(known.label)]
    return f"{row['label']} with {row['confidence']:.3f}, {known.label} with {of_right:.3f}"

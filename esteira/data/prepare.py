"""Preparing data: from the default data or a user's CSV to the folder that a pipeline reads."""

import csv
import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Counter, Dict, Iterable, Iterator, Optional, Tuple

from esteira.data.csv_file import CsvFile
from esteira.data.distinct import DistinctTexts, open_distinct_texts
from esteira.data.fetch import download_folders, fetch, read_pin
from esteira.data.folder import new_folder
from esteira.data.rows import COLUMNS, Row, fold_name, fold_text
from esteira.data.schema_text import fill_labels, read_curated_schema
from esteira.data.split import EVAL, TRAIN, Split, check_classes, check_splits
from esteira.settings import Settings

PIN = Path("modules/dataset.txt")
CURATED_SCHEMA = Path("pipeline/schema.pbtxt")


@dataclass(frozen=True)
class PreparedData:
    """What was written: rows a split, each class's rows as (train, eval), and what was dropped."""

    folder: Path
    train_rows: int
    eval_rows: int
    labels: Tuple[str, ...]
    label_rows: Dict[str, Tuple[int, int]]
    blank_rows: int
    duplicate_rows: int


def prepare_data(settings: Settings, out: Path, csv_path: Optional[Path] = None) -> PreparedData:
    """Write train/train.csv, eval/eval.csv, schema/schema.pbtxt and labels/labels.json under `out`.

    The data is the CSV, or else the default data. The folder appears when it is
    complete; the same data gives the same bytes. Raises DataError if the data cannot
    be fetched, read or split, StateError if the folder cannot be written.
    """
    if csv_path is None:
        return write_data(settings, out, default_rows(settings), str(PIN), None)
    file = CsvFile(csv_path, settings.data)
    return write_data(settings, out, file.rows(), str(csv_path), file)


def default_rows(settings: Settings) -> Iterator[Row]:
    """Yield the rows that modules/create_dataset.py makes of the pinned archive."""
    from modules.create_dataset import create_dataset

    archive = fetch(read_pin(settings.root / PIN), download_folders(settings.state, os.environ))
    for row in create_dataset(archive):
        text = fold_text(row.text)
        if text:
            yield Row(text, fold_name(row.label, "label"), fold_name(row.source, "source"), row.group)


def write_data(settings: Settings, out: Path, rows: Iterable[Row], place: str, file: Optional[CsvFile]) -> PreparedData:
    curated = read_curated_schema(settings.root / CURATED_SCHEMA)
    with new_folder(out) as folder, open_distinct_texts(folder / "texts.sqlite") as texts:
        texts.load(rows)
        split = Split(texts, settings.data.eval_percent)
        check_classes(split.texts, place)
        counts = write_splits(folder, texts, split)
        check_splits(counts, split.labels, place)
        vocabulary = json.dumps({"labels": split.labels}, ensure_ascii=False)
        write_file(folder / "labels/labels.json", vocabulary + "\n")
        write_file(folder / "schema/schema.pbtxt", fill_labels(curated, split.labels, str(CURATED_SCHEMA)))
        return PreparedData(
            folder=out,
            train_rows=sum(counts[TRAIN].values()),
            eval_rows=sum(counts[EVAL].values()),
            labels=split.labels,
            label_rows={label: (counts[TRAIN][label], counts[EVAL][label]) for label in split.labels},
            blank_rows=file.blank if file else 0,
            duplicate_rows=texts.count() - sum(split.texts.values()),
        )


def write_splits(folder: Path, texts: DistinctTexts, split: Split) -> Dict[str, Counter[str]]:
    """Write a canonical CSV for each split; return how many rows of each class it has."""
    counts: Dict[str, Counter[str]] = {TRAIN: Counter(), EVAL: Counter()}
    with ExitStack() as stack:
        writers = {}
        for name in counts:
            path = folder / name / f"{name}.csv"
            path.parent.mkdir()
            stream = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            writers[name] = csv.writer(stream, lineterminator="\n")
            writers[name].writerow(COLUMNS)
        for row in texts:
            name = split.of(row)
            writers[name].writerow((row.text, row.label, row.source))
            counts[name][row.label] += 1
    return counts


def write_file(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode("utf-8"))

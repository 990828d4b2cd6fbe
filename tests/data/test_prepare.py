"""From a CSV, or the default data, to the folder that the pipeline reads."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from esteira.data.prepare import prepare_data
from esteira.data.rows import fold_text, text_key
from esteira.errors import DataError
from esteira.settings import Settings, load_settings
from tests.data import manchetes

ROOT = Path(__file__).parents[2]
HEADLINES = {"data.text_column": "titulo", "data.label_column": "sentimento"}


def settings_here(flags: Dict[str, str]) -> Settings:
    return load_settings(ROOT, {}, flags)


def read_split(folder: Path, name: str) -> List[Tuple[str, ...]]:
    """Return the rows as CsvExampleGen reads them: line by line."""
    header, *lines = (folder / name / f"{name}.csv").read_bytes().decode("utf-8").split("\n")[:-1]
    assert header == "text,label,source"
    return [tuple(next(csv.reader([line], strict=True))) for line in lines]


def hash_files(folder: Path) -> Dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_prepares_portuguese_headlines_with_quotes_line_breaks_and_blanks(tmp_path: Path) -> None:
    prepared = prepare_data(settings_here(HEADLINES), tmp_path / "out", manchetes.PATH)
    assert prepared.labels == ("negativo", "neutro", "positivo")
    assert {label: sum(rows) for label, rows in prepared.label_rows.items()} == manchetes.ROWS
    assert (prepared.blank_rows, prepared.duplicate_rows) == (3, 2)
    rows = read_split(prepared.folder, "train") + read_split(prepared.folder, "eval")
    expected = {(fold_text(text), label, "all") for text, label in manchetes.headlines() if fold_text(text)}
    assert set(rows) <= expected
    assert len(rows) == prepared.train_rows + prepared.eval_rows == sum(manchetes.ROWS.values())


def test_writes_the_vocabulary_as_json_and_the_schema_with_its_labels(tmp_path: Path) -> None:
    prepare_data(settings_here(HEADLINES), tmp_path / "out", manchetes.PATH)
    labels = json.loads((tmp_path / "out/labels/labels.json").read_text(encoding="utf-8"))
    assert labels == {"labels": ["negativo", "neutro", "positivo"]}
    schema = (tmp_path / "out/schema/schema.pbtxt").read_text(encoding="utf-8")
    assert 'name: "labels"\n  value: "negativo"\n  value: "neutro"\n  value: "positivo"\n}' in schema
    assert sorted(hash_files(tmp_path / "out")) == [
        "eval/eval.csv", "labels/labels.json", "schema/schema.pbtxt", "train/train.csv",
    ]  # fmt: skip


def test_the_headlines_are_what_their_templates_make() -> None:
    assert manchetes.PATH.read_bytes() == manchetes.render()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("text,label\nx,a\ny,a\n", 'has only the class "a"'),
        ("text,label\n", "has no row with a text"),
        ("text,label\nx,a\nX ,a\ny,b\nz,b\n", 'only one distinct text: "a"'),
        ("text,label\nx,a\ny\n", "line 3: has 1 field"),
        ("text\nx\n", 'has no column "label"'),
    ],
)
def test_a_faulty_csv_leaves_what_stood_there_and_nothing_else(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "file.csv").write_text(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=expected):
        prepare_data(settings_here({}), tmp_path / "out", tmp_path / "file.csv")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file.csv", "out"]


@pytest.mark.programs
def test_gives_the_same_bytes_for_each_hash_seed_locale_zone_and_umask(tmp_path: Path) -> None:
    here = prepare_data(settings_here(HEADLINES), tmp_path / "here", manchetes.PATH)
    script = (
        "import os, sys; os.umask(0o077); from pathlib import Path;"
        "from esteira.settings import load_settings;"
        "from esteira.data.prepare import prepare_data;"
        "prepare_data(load_settings(Path(sys.argv[1]), os.environ, {}), Path(sys.argv[2]), Path(sys.argv[3]))"
    )
    for number, locale in enumerate(["POSIX", "C.UTF-8"]):
        out = tmp_path / f"a folder {number}" / "out"
        environ = {
            "ESTEIRA_DATA_TEXT_COLUMN": "titulo", "ESTEIRA_DATA_LABEL_COLUMN": "sentimento",
            "PYTHONHASHSEED": str(number), "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
            "TZ": "Asia/Tokyo", "PATH": os.environ["PATH"],
        }  # fmt: skip
        command = [sys.executable, "-c", script, str(ROOT), str(out), str(manchetes.PATH)]
        subprocess.run(command, env=environ, cwd=ROOT, check=True)
        assert hash_files(out) == hash_files(here.folder)
        assert oct((out / "train").stat().st_mode & 0o777) == "0o755"


@pytest.mark.programs
def test_prepares_the_default_data(tmp_path: Path) -> None:
    prepared = prepare_data(settings_here({}), tmp_path / "out")
    assert prepared.labels == ("negative", "neutral", "positive")
    assert (prepared.train_rows, prepared.eval_rows, prepared.duplicate_rows) == (17_680, 5_874, 149)
    train, evaluated = read_split(prepared.folder, "train"), read_split(prepared.folder, "eval")
    assert not {text_key(row[0]) for row in train} & {text_key(row[0]) for row in evaluated}
    assert {source for _, _, source in evaluated} == {"tweets", "products", "films", "news"}
    assert not [text for text, _, _ in train + evaluated if "&amp;" in text or "&#" in text]


cells = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=30)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.tuples(cells, st.sampled_from(["ação", 'b,"c"', "x y"]), cells), max_size=12))
def test_whatever_a_csv_holds_is_read_back_line_by_line(rows: List[Tuple[str, str, str]], tmp_path: Path) -> None:
    kept = [(f"first {n} {label}", label, "") for n in range(2) for label in ("ação", 'b,"c"', "x y")]
    with (tmp_path / "file.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("text", "label", "other"), *kept, *rows])
    prepare_data(settings_here({}), tmp_path / "out", tmp_path / "file.csv")
    written = read_split(tmp_path / "out", "train") + read_split(tmp_path / "out", "eval")
    assert {text_key(row[0]) for row in written} == {text_key(row[0]) for row in kept + rows if fold_text(row[0])}
    assert {row[1] for row in written} == {"ação", 'b,"c"', "x y"}

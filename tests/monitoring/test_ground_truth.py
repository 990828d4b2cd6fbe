from datetime import datetime, timezone
from pathlib import Path
from typing import Iterator

import pytest

from esteira.errors import DataError
from esteira.monitoring.ground_truth import EXPECTED, load_ground_truth, read_truths
from esteira.monitoring.warehouse.database import Place, Warehouse, open_place
from tests.conftest import REPOSITORY

NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_place(Place(tmp_path / "warehouse", REPOSITORY)) as opened:
        yield opened


def write(folder: Path, text: str) -> Path:
    file = folder / "truths"
    file.write_text(text, encoding="utf-8")
    return file


def rows(warehouse: Warehouse) -> list:
    sql = "SELECT request_id, row_number, label FROM `esteira.ground_truth` ORDER BY request_id, row_number"
    return [(int(row["request_id"]), row["row_number"], row["label"]) for row in warehouse.query("read", sql)]


def test_a_csv_file_is_loaded(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.insert("request_log", [{"request_id": "4611686018427387905"}])
    file = write(tmp_path, "\ufeffrequest_id,label\n4611686018427387905,bom\n7, mau \n7,bom\n")
    loaded = load_ground_truth(warehouse, file, NOW)
    assert loaded == (2, 1, ())
    assert loaded.told == "2 truths loaded; 1 of their requests are not in the log."
    assert rows(warehouse) == [(7, 0, "bom"), (4611686018427387905, 0, "bom")]


def test_a_label_that_no_model_gives_is_told(warehouse: Warehouse, tmp_path: Path) -> None:
    for number, labels in enumerate((["bom", "mau"], ["bom", "neutro"])):
        row = {"deployed_model_id": str(number), "labels": labels, "signature": "{}"}
        warehouse.insert("deployed_models", [{**row, "deployed_time": "2026-01-01T00:00:00Z"}])
    loaded = load_ground_truth(warehouse, write(tmp_path, "request_id,label\n7,neutro\n8,Bom\n9,mal\n"), NOW)
    assert loaded.told == (
        "3 truths loaded; 3 of their requests are not in the log.\n"
        "No model gives these labels, so that it is wrong about their requests: 'Bom', 'mal'"
    )
    assert len(rows(warehouse)) == 3


def test_json_lines_are_loaded(warehouse: Warehouse, tmp_path: Path) -> None:
    file = write(tmp_path, '{"request_id": 7, "row_number": 1, "label": "שלום"}\n\n{"request_id": "7", "label": "x"}\n')
    assert load_ground_truth(warehouse, file, NOW).truths == 2
    assert rows(warehouse) == [(7, 0, "x"), (7, 1, "שלום")]


def test_every_bad_line_is_told_and_nothing_is_written(warehouse: Warehouse, tmp_path: Path) -> None:
    file = write(tmp_path, "request_id,row_number,label\n1,0,x\nabc,0,x\n1,-1,x\n1,0,\n1,0,x,y\n")
    with pytest.raises(DataError) as caught:
        load_ground_truth(warehouse, file, NOW)
    assert str(caught.value) == (
        f"{file}:3: request_id is 'abc'; expected a whole number\n"
        f"{file}:4: row_number is '-1'; expected a whole number from 0\n"
        f"{file}:5: label is empty or no text\n"
        f"{file}:6: has more than 3 columns\n"
        f"{EXPECTED}\n"
        f"Nothing was loaded. Mend the lines, then run: make groundtruth FILE={file}"
    )
    assert rows(warehouse) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes: line 2 column 1 (char 2)"),
        ("[1]", "is [1]; expected an object"),
        ('{"request_id": 1.5, "label": "x"}', "request_id is '1.5'; expected a whole number"),
        ('{"request_id": true, "label": "x"}', "request_id is 'true'; expected a whole number"),
        ('{"request_id": 1, "label": 2}', "label is empty or no text"),
        ('{"request_id": 1, "label": "x", "row": 1}', "row: no such column"),
        ('{"request_id": 1, "label": "\\ud800"}', "label: expected a text, got half of a surrogate pair: '\\ud800'"),
        ('{"request_id": 1, "label": "x", "\\ud800": 1}', "'\\ud800': no such column"),
        ('"x"', 'is "x"; expected an object'),
        ("[" * 100_000, "has too many lists or objects within each other"),
        (
            '{"request_id": 1, "label": ' + "[" * 100_000 + "]" * 100_000 + "}",
            "has too many lists or objects within each other",
        ),
        ('{"request_id": ' + "1" * 30 + ', "label": "x"}', f"request_id is '{'1' * 30}'; expected a whole number"),
    ],
)
def test_a_bad_line_of_json_is_told(tmp_path: Path, line: str, fault: str) -> None:
    file = write(tmp_path, '{"request_id": 1, "label": "x"}\n' + line + "\n")
    with pytest.raises(DataError) as caught:
        read_truths(file)
    assert str(caught.value).splitlines()[0] == f"{file}:2: {fault}"


def test_other_columns_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "id,label\n1,x\n")
    with pytest.raises(DataError) as caught:
        read_truths(file)
    assert str(caught.value) == f"{file}:1: the columns are id, label. {EXPECTED}"


def test_an_empty_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_truths(tmp_path / "none.csv")
    with pytest.raises(DataError, match="holds no truth"):
        read_truths(write(tmp_path, "request_id,label\n"))

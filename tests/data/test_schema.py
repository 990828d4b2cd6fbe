"""The curated schema and inferred ones, with the real TensorFlow Data Validation."""

from pathlib import Path
from typing import Dict

import pytest

from esteira.data.prepare import CURATED_SCHEMA, prepare_data
from esteira.data.schema import accept_schema, infer_schema
from esteira.data.schema_text import fill_labels
from esteira.errors import DataError
from esteira.settings import load_settings
from tests.data import manchetes

ROOT = Path(__file__).parents[2]
CURATED = ROOT / CURATED_SCHEMA


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    flags = {"data.text_column": "titulo", "data.label_column": "sentimento"}
    out = tmp_path_factory.mktemp("schema") / "data"
    return prepare_data(load_settings(ROOT, {}, flags), out, manchetes.PATH).folder


def find_anomalies(csv_path: Path, schema_path: Path) -> Dict[str, str]:
    """Return the short description of each column's anomaly, as ExampleValidator finds them."""
    import tensorflow_data_validation as tfdv

    schema = tfdv.load_schema_text(str(schema_path))
    found = tfdv.validate_statistics(tfdv.generate_statistics_from_csv(str(csv_path)), schema)
    return {column: anomaly.short_description for column, anomaly in found.anomaly_info.items()}


@pytest.mark.slow
def test_the_curated_schema_fits_prepared_data_and_catches_what_does_not(data: Path, tmp_path: Path) -> None:
    schema = data / "schema" / "schema.pbtxt"
    good = (data / "eval" / "eval.csv").read_text(encoding="utf-8")
    assert find_anomalies(data / "train" / "train.csv", schema) == {}
    for content, expected in [
        (good + "olá,ótimo,all\n", {"label": "Unexpected string values"}),
        ("text,source\n" + "olá,all\n" * 9, {"label": "Column dropped"}),
    ]:
        (tmp_path / "bad.csv").write_text(content, encoding="utf-8")
        assert find_anomalies(tmp_path / "bad.csv", schema) == expected


@pytest.mark.slow
def test_proposes_a_schema_shows_what_differs_and_accepts_it(data: Path, tmp_path: Path) -> None:
    proposal, curated = tmp_path / "proposal.pbtxt", tmp_path / "curated.pbtxt"
    curated.write_bytes(CURATED.read_bytes())
    curated.write_text(
        curated.read_text(encoding="utf-8").replace("min_fraction: 1.0", "min_fraction: 0.5", 1), "utf-8"
    )
    difference = infer_schema(data, proposal, curated)
    assert "-    min_fraction: 0.5" in difference
    # Neither labels nor sources are closed.
    assert "negativo" not in difference
    assert '"all"' not in difference
    accept_schema(proposal, curated)
    assert infer_schema(data, proposal, curated) == ""
    assert 'value: "c"' in fill_labels(curated.read_text(encoding="utf-8"), ["c"], "curated.pbtxt")


def test_a_proposal_that_is_no_schema_is_not_accepted(tmp_path: Path) -> None:
    (tmp_path / "proposal.pbtxt").write_text("feature { nome: 1 }")
    with pytest.raises(DataError, match="is no TFDV schema"):
        accept_schema(tmp_path / "proposal.pbtxt", tmp_path / "curated.pbtxt")
    assert not (tmp_path / "curated.pbtxt").exists()


def test_says_what_to_run_where_there_is_nothing_to_infer_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Run: make data"):
        infer_schema(tmp_path, tmp_path / "proposal.pbtxt", CURATED)
    with pytest.raises(DataError, match="Run: make schema"):
        accept_schema(tmp_path / "proposal.pbtxt", CURATED)

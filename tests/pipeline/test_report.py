"""The gate and its report, by real evaluations of small models that answer by a rule."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import pytest
import tensorflow_model_analysis as tfma

from esteira.settings import GateSettings
from pipeline.evaluation import create_eval_config
from pipeline.report import describe_evaluation
from tests.pipeline.toy_classifier import Row, save_toy, write_examples

CLASSES = ["alta", "baixa", "neutra"]
# The shares of the Portuguese headlines: 71, 23 and 6 of 100.
ROWS: List[Row] = [
    (f"{label} no mês {number}", label, "jornal" if number % 2 else "rádio")
    for label, count in (("alta", 71), ("baixa", 23), ("neutra", 6))
    for number in range(count)
]


def evaluate(folder: Path, candidate: str, baseline: Optional[str], rows: Sequence[Row] = ROWS) -> Dict[str, Any]:
    """Evaluate as TFX's Evaluator does, and return the report."""
    config = tfma.utils.update_eval_config_with_defaults(
        create_eval_config(GateSettings()), has_baseline=baseline is not None, rubber_stamp=True
    )
    paths = {"candidate": candidate, "baseline": baseline} if baseline else {"": candidate}
    models = [tfma.default_eval_shared_model(path, model_name=name, eval_config=config) for name, path in paths.items()]
    tfma.run_model_analysis(
        eval_shared_model=models if baseline else models[0],
        eval_config=config,
        data_location=write_examples(folder / "examples", rows),
        output_path=str(folder / "evaluation"),
    )
    result = tfma.load_validation_result(str(folder / "evaluation"))
    return describe_evaluation(str(folder / "evaluation"), result.validation_ok)


def outcomes(report: Dict[str, Any]) -> Dict[str, bool]:
    return {f"{row['metric']} {row['kind']}": row["passed"] for row in report["thresholds"]}


def test_always_the_majority_is_not_blessed(tmp_path: Path) -> None:
    report = evaluate(tmp_path, save_toy(tmp_path / "model", [], default="alta"), None)
    assert report["blessed"] is False
    assert report["baseline"] is None
    assert report["baseline_metrics"] is None
    assert report["metrics"] == pytest.approx(
        {"accuracy": 0.71, "accuracy_lift": 0.0, "macro_f1": 142 / 171 / 3, "example_count": 100}
    )
    assert outcomes(report) == {"accuracy_lift value": False, "macro_f1 value": False}
    assert sorted(report["slices"]) == ["source=jornal", "source=rádio"]


def test_a_model_worse_than_its_baseline_is_not_blessed(tmp_path: Path) -> None:
    candidate = save_toy(tmp_path / "candidate", ["baixa"], default="alta")
    baseline = save_toy(tmp_path / "baseline", CLASSES, default="alta")
    report = evaluate(tmp_path, candidate, baseline)
    assert report["blessed"] is False
    assert report["baseline"] == baseline
    assert report["metrics"]["accuracy"] == pytest.approx(0.94)
    assert report["baseline_metrics"]["macro_f1"] == 1
    assert outcomes(report) == {"accuracy_lift value": True, "macro_f1 value": True, "macro_f1 change": False}
    change = report["thresholds"][-1]
    assert change["value"] == pytest.approx(report["metrics"]["macro_f1"] - 1)
    assert (change["bound"], change["baseline"]) == (-0.01, 1)


def test_a_model_as_good_as_its_baseline_is_blessed(tmp_path: Path) -> None:
    model = save_toy(tmp_path / "model", CLASSES, default="alta")
    report = evaluate(tmp_path, model, model)
    assert report["blessed"] is True
    assert set(outcomes(report).values()) == {True}


def test_a_source_that_fails_alone_does_not_stop_a_model(tmp_path: Path) -> None:
    rows = [*ROWS, ("palavras sem classe", "baixa", "blogue")]
    report = evaluate(tmp_path, save_toy(tmp_path / "model", CLASSES, default="alta"), None, rows)
    assert report["slices"]["source=blogue"]["accuracy"] == 0
    assert report["blessed"] is True
    assert outcomes(report) == {"accuracy_lift value": True, "macro_f1 value": True}

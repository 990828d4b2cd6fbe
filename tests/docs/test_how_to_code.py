"""The Python that a how-to page has somebody write does what the page says of it."""

import re
import runpy
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, List

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_metadata.proto.v0 import statistics_pb2

from modules import features
from modules.hub import load_encoder
from tests.conftest import REPOSITORY


def python_blocks(page: str) -> List[str]:
    text = (REPOSITORY / "docs" / "how-to" / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run(code: str, folder: Path) -> Dict[str, Any]:
    path = folder / "block.py"
    path.write_text(code, encoding="utf-8")
    return runpy.run_path(str(path))


def test_the_network_of_own_model_answers_each_row_as_it_does_alone(tmp_path: Path) -> None:
    tf.keras.utils.set_random_seed(1)
    network = run(python_blocks("own-model.md")[0], tmp_path)["Classifier"](5, 3, units=8, dropout=0.1)

    def answer(*rows: List[int]) -> Any:
        return network({features.TOKENS: tf.ragged.constant(rows, tf.int64, ragged_rank=1)}).numpy()

    assert np.isfinite(answer([], [])).all()
    np.testing.assert_allclose(answer([2, 3], [4, 4, 5, 6, 6])[0], answer([2, 3])[0], rtol=1e-5)


def test_what_own_model_puts_in_place_of_code_is_where_it_says() -> None:
    _, network, inputs, space = python_blocks("own-model.md")
    training = (REPOSITORY / "modules" / "training.py").read_text(encoding="utf-8")
    assert network.splitlines()[0] in training
    assert network.partition("network.compile(")[2].strip() in training
    for line in inputs.splitlines():
        assert line in (REPOSITORY / "modules" / "inputs.py").read_text(encoding="utf-8")
    assert "getattr(network.encoder" in (REPOSITORY / "modules" / "export.py").read_text(encoding="utf-8")
    assert space.splitlines()[-1] in (REPOSITORY / "modules" / "tuner.py").read_text(encoding="utf-8")


@pytest.mark.slow  # it imports TFX
def test_the_component_of_own_pipeline_stops_a_run_on_too_few_rows(tmp_path: Path) -> None:
    component, graph = python_blocks("own-pipeline.md")
    execute = unwrapped(component, tmp_path)
    statistics = statistics_pb2.DatasetFeatureStatisticsList(datasets=[{"num_examples": 3}])
    (tmp_path / "Split-train").mkdir()
    (tmp_path / "Split-train" / "FeatureStats.pb").write_bytes(statistics.SerializeToString())
    execute(SimpleNamespace(uri=str(tmp_path)), 3)
    with pytest.raises(ValueError, match="There are 3 rows to train on. Expected 4 at least."):
        execute(SimpleNamespace(uri=str(tmp_path)), 4)
    validation = (REPOSITORY / "pipeline" / "pipeline.py").read_text(encoding="utf-8").partition("def validate_data")[2]
    assert graph.splitlines()[1] in validation


def unwrapped(component: str, folder: Path) -> Callable[[Any, int], None]:
    """Return the function of a component, which TFX's decorator hides."""
    (folder / "rows.py").write_text(component, encoding="utf-8")
    spec = spec_from_file_location("rows", folder / "rows.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    sys.modules["rows"] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["rows"]
    function: Callable[[Any, int], None] = module.RowGate.EXECUTOR_SPEC.executor_class._FUNCTION
    return function


def test_the_encoder_of_hub_encoder_gives_one_vector_for_each_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = python_blocks("hub-encoder.md")
    monkeypatch.setattr(sys, "argv", ["make_encoder.py", str(tmp_path / "words")])
    run(code, tmp_path)
    encoded = load_encoder(str(tmp_path / "words"))(tf.constant(["um dia", "", "um dia"])).numpy()
    assert encoded.shape == (3, 32)
    assert (encoded[0] == encoded[2]).all() and not encoded[1].any()

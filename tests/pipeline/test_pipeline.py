"""The whole pipeline by TFX's own runner, on a few hundred made-up rows."""

import csv
import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List

import numpy as np
import pytest
import tensorflow as tf
from tfx import v1 as tfx
from tfx.orchestration.local.local_dag_runner import LocalDagRunner

from esteira.data.prepare import prepare_data
from esteira.jobs.bundle import bundle_modules
from esteira.settings import Settings, load_settings
from pipeline.pipeline import create_pipeline
from tests.conftest import REPOSITORY

WORDS = {"bom": ["ótimo", "belo", "feliz"], "mau": ["péssimo", "feio", "triste"], "neutro": ["hoje", "ontem"]}
FILLERS = ["o", "dia", "foi", "muito", "na", "cidade"]

pytestmark = pytest.mark.slow


def make_rows(count: int) -> List[List[str]]:
    """Return rows of (text, label) in which one word tells the class."""
    dice = random.Random(1)
    labels = [dice.choice(["bom"] * 5 + ["mau"] * 3 + ["neutro"] * 2) for _ in range(count)]
    return [
        [" ".join([*dice.sample(FILLERS, 4), dice.choice(WORDS[label]), str(number)]), label]
        for number, label in enumerate(labels)
    ]


def write_data(settings: Settings, folder: Path) -> Path:
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["text", "label"], *make_rows(400)])
    prepare_data(settings, folder / "data", folder / "rows.csv")
    return folder / "data"


def run_pipeline(settings: Settings, folder: Path) -> None:
    data = write_data(settings, folder)
    (folder / "modules.py").write_bytes(bundle_modules(REPOSITORY / "modules"))
    defaults = {
        "data_uri": str(data),
        "schema_uri": str(data / "schema"),
        "modules_uri": str(folder / "modules.py"),
        "hyperparameters_uri": str(REPOSITORY / "modules" / "best_hyperparameters"),
        "push_destination": json.dumps({"filesystem": {"base_directory": str(folder / "serving")}}),
    }
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    LocalDagRunner().run(
        create_pipeline(settings, root=str(folder / "root"), defaults=defaults, metadata_config=metadata)
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    settings = load_settings(REPOSITORY, {"ESTEIRA_STATE": str(folder / "state")}, {"training.epochs": "6"})
    run_pipeline(settings, folder)
    return folder


@pytest.fixture(scope="module")
def served(run: Path) -> Any:
    return tf.saved_model.load(str(only(run, "serving/*")))


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def answer(served: Any, *texts: str) -> Dict[str, np.ndarray]:
    outputs = served.signatures["serving_default"](text=tf.constant(texts))
    return {name: value.numpy() for name, value in outputs.items()}


def test_a_model_that_learned_is_blessed_and_pushed(run: Path) -> None:
    report = json.loads(only(run, "root/EvaluationReport/report/*/report.json").read_text())
    assert report["blessed"] is True
    assert report["metrics"]["accuracy"] > 0.9
    assert list(report["slices"]) == ["source=all"]


def test_text_gives_label_confidence_and_probabilities(served: Any) -> None:
    outputs = answer(served, "o dia foi ÓTIMO", "um dia feio na cidade")
    assert outputs["label"].tolist() == [b"bom", b"mau"]
    assert outputs["probabilities"].shape == (2, 3)
    np.testing.assert_allclose(outputs["probabilities"].sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(outputs["confidence"], outputs["probabilities"].max(axis=1))


def test_blank_and_unknown_texts_get_valid_answers(served: Any) -> None:
    outputs = answer(served, "", "   ", "😀 天気 привет", "a " * 5000)
    assert np.isfinite(outputs["probabilities"]).all()


def test_an_answer_does_not_depend_on_its_batch(served: Any) -> None:
    alone = answer(served, "feliz")["probabilities"][0]
    np.testing.assert_allclose(answer(served, "feliz", "um dia " * 30)["probabilities"][0], alone, rtol=1e-4)


def test_examples_give_what_their_texts_give(served: Any) -> None:
    example = tf.train.Example()
    example.features.feature["text"].bytes_list.value.append(b"belo")
    serialized = [example.SerializeToString(), tf.train.Example().SerializeToString()]
    outputs = served.signatures["evaluate"](examples=tf.constant(serialized))
    expected = answer(served, "belo", "")
    np.testing.assert_allclose(outputs["probabilities"].numpy(), expected["probabilities"], rtol=1e-5)


def test_the_pushed_model_carries_its_labels_and_answers(run: Path, served: Any) -> None:
    assets = only(run, "serving/*/assets.extra")
    assert json.loads((assets / "labels.json").read_text()) == {"labels": ["bom", "mau", "neutro"]}
    smoke = json.loads((assets / "smoke.json").read_text())
    outputs = answer(served, *[instance["text"] for instance in smoke["instances"]])
    assert len(smoke["instances"]) == 16
    assert [prediction["label"].encode() for prediction in smoke["predictions"]] == outputs["label"].tolist()
    expected = [prediction["probabilities"] for prediction in smoke["predictions"]]
    np.testing.assert_allclose(outputs["probabilities"], expected, rtol=1e-4)


def train_again(run: Path, out: Path, **settings: Any) -> Dict[str, Any]:
    """Run the Trainer's function on the run's examples, and return the smoke answers of its model."""
    from modules.model import run_fn

    examples = only(run, "root/Transform/transformed_examples/*")
    hyperparameters = REPOSITORY / "modules" / "best_hyperparameters" / "best_hyperparameters.txt"
    run_fn(
        SimpleNamespace(
            custom_config={"epochs": 2, "seed": 1, "encoder": "attention", "hub_module": "", **settings},
            hyperparameters=json.loads(hyperparameters.read_text()),
            transform_graph_path=str(only(run, "root/Transform/transform_graph/*")),
            schema_path=str(run / "data" / "schema" / "schema.pbtxt"),
            train_files=[f"{examples}/Split-train/*"],
            eval_files=[f"{examples}/Split-eval/*"],
            serving_model_dir=str(out),
        )
    )
    answers: Dict[str, Any] = json.loads((out / "assets.extra" / "smoke.json").read_text())
    return answers


def test_training_twice_gives_the_same_model(run: Path, tmp_path: Path) -> None:
    assert train_again(run, tmp_path / "one") == train_again(run, tmp_path / "two")


class LetterEncoder(tf.Module):
    """Texts to the shares of some letters."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = tf.Variable(10.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, text: tf.Tensor) -> tf.Tensor:
        lengths = [tf.strings.length(tf.strings.regex_replace(text, f"[^{letter}]", "")) for letter in "aeiou"]
        return self.scale * tf.cast(tf.stack(lengths, axis=1), tf.float32)


def test_a_hub_encoder_is_trained_with_and_travels_in_the_model(run: Path, tmp_path: Path) -> None:
    handle = tmp_path / "hub"
    tf.saved_model.save(LetterEncoder(), str(handle))
    smoke = train_again(run, tmp_path / "model", encoder="hub", hub_module=str(handle))
    handle.rename(tmp_path / "gone")
    served = tf.saved_model.load(str(tmp_path / "model"))
    outputs = answer(served, *[instance["text"] for instance in smoke["instances"]])
    expected = [prediction["probabilities"] for prediction in smoke["predictions"]]
    np.testing.assert_allclose(outputs["probabilities"], expected, rtol=1e-4)


def test_a_job_names_the_files_of_its_encoder(tmp_path: Path) -> None:
    def trainer_config() -> Any:
        flags = {"training.encoder": "hub", "training.hub_module": str(tmp_path)}
        components = create_pipeline(load_settings(REPOSITORY, {}, flags)).components
        (trainer,) = (component for component in components if component.id == "Trainer")
        return json.loads(trainer.exec_properties["custom_config"])

    before = trainer_config()
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    assert before["hub_module"] == str(tmp_path)
    assert before != trainer_config()

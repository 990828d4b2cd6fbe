"""The smoke test, against the real server on a real model, and against a server that answers wrongly."""

import json
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest

from esteira.errors import ServingError
from esteira.monitoring.warehouse.database import open_warehouse
from esteira.release.manifest import Outcome
from esteira.serving.check_known import Known
from esteira.serving.recorded import make_recorded
from esteira.serving.saved_interfaces import saved_interfaces
from esteira.serving.smoke import SmokeError, Subject, check_server, require_passed, smoke_test
from esteira.settings import Settings
from tests.serving.answering import VERSION, Answering, answering
from tests.serving.small_model import LABELS, OUTPUTS, TEXT, deployed_model, recorded, saved_model
from tests.serving.toy_folder import save_toy_model
from tests.serving.toy_model import LABELS as TOY_LABELS

pytestmark = pytest.mark.loopback

ANSWERED = [
    "version and state",
    "signature serving_default",
    "names of the classes",
    "number of predictions",
    "outputs of each prediction",
    "labels as at training",
    "probabilities as at training",
    "label, confidence and probabilities agree",
    "one by one as in a batch",
]
ODD = ["an empty text", "white space", "texts beyond ASCII", "a text of 100,000 characters"]
REFUSED = [
    "refuses malformed JSON",
    "refuses a number for a text",
    "refuses a row without its text",
    "refuses no rows",
    "refuses an unknown signature",
    "refuses 8,193 rows",
]
SERVERS = ["refuses an unknown model", "refuses a body of 8 MB and a byte"]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a model") / "1732300000"
    save_toy_model(folder)
    return folder


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as server:
        yield server


def subject(**changes: Any) -> Subject:
    made = Subject(make_recorded(LABELS, recorded(), "training"), saved_interfaces(saved_model(), "model"))
    return made._replace(**changes)


def failed(server: Answering, **changes: Any) -> List[Tuple[str, str, str]]:
    result = check_server(server.url, "sentiment", int(VERSION), subject(**changes))
    return [(check.name, check.expected, check.observed) for check in result.failed]


@pytest.mark.programs
@pytest.mark.slow
def test_a_model_as_it_was_trained_passes_and_its_request_log_takes_a_row(settings: Settings, model_dir: Path) -> None:
    release = deployed_model(settings, "1732300000")
    known = [Known("so good", TOY_LABELS[2], "smoke.csv:2")]
    result = smoke_test(model_dir, settings=settings, release=release, known=known)
    assert [check.name for check in result.checks] == [
        "version and state",
        "signature examples",
        "signature serving_default",
        "signature stretch",
        *ANSWERED[2:],
        "known texts",
        *ODD,
        "answer of serving_default",
        "answer of examples",
        "examples as serving_default",
        "answer of stretch",
        *REFUSED,
        "latency of one text",
        *SERVERS,
        "as a Vertex AI endpoint",
        "request log",
    ]
    with open_warehouse(settings) as warehouse:
        query = "SELECT DISTINCT endpoint, release_id, model_version FROM `esteira.request_log`"
        rows = warehouse.query("look", query)
    endpoint = "projects/local/locations/local/endpoints/sentiment-local-check"
    assert rows == [{"endpoint": endpoint, "release_id": release.id, "model_version": "1732300000"}]


@pytest.mark.programs
@pytest.mark.slow
@pytest.mark.parametrize("text", ["hash", "redact"])
def test_the_row_has_no_text_where_the_settings_hide_it(settings: Settings, model_dir: Path, text: str) -> None:
    release = deployed_model(settings, "1732300000")
    hiding = settings.copy(update={"log": settings.log.copy(update={"text": text})})
    assert smoke_test(model_dir, settings=hiding, release=release).checks[-1].name == "request log"
    with open_warehouse(hiding) as warehouse:
        rows = warehouse.query("look", "SELECT request_payload FROM `esteira.request_log`")
    assert "good" not in json.dumps(rows)


@pytest.mark.programs
@pytest.mark.slow
def test_a_log_that_is_off_is_told(settings: Settings, model_dir: Path) -> None:
    release = deployed_model(settings, "1732300000")
    off = settings.copy(update={"log": settings.log.copy(update={"percent": 0})})
    last = smoke_test(model_dir, settings=off, release=release).checks[-1]
    assert (last.name, last.passed, last.observed) == ("request log", True, "off: log.percent is 0")


@pytest.mark.programs
@pytest.mark.slow
def test_a_model_that_answers_otherwise_than_at_training_is_found(
    settings: Settings, model_dir: Path, tmp_path: Path
) -> None:
    other = tmp_path / "1732300000"
    shutil.copytree(model_dir, other)
    smoke = other / "assets.extra" / "smoke.json"
    answers = json.loads(smoke.read_text(encoding="utf-8"))
    answers["predictions"][1]["probabilities"][0] += 0.001
    answers["predictions"][2]["label"] = "negative"
    smoke.write_text(json.dumps(answers), encoding="utf-8")
    with pytest.raises(SmokeError) as told:
        smoke_test(other, settings=settings)
    assert str(told.value) == (
        f"{other}: the smoke test failed in 2 of {len(told.value.result.checks)} checks:\n"
        '- labels as at training for "it is a film": expected negative, got neutral\n'
        '- probabilities as at training for "bad": expected [0.59080, 0.27860, 0.13160] within 0.0001, '
        "got [0.58980, 0.27860, 0.13160]\n"
        "The model answers otherwise than it should. Look at modules/, then: make deploy-full"
    )


def test_a_server_that_answers_rightly_passes_every_check(server: Answering) -> None:
    result = check_server(server.url, "sentiment", int(VERSION), subject())
    assert [check.name for check in result.checks] == [
        *ANSWERED,
        *ODD,
        "answer of serving_default",
        *REFUSED,
        "latency of one text",
        *SERVERS,
    ]
    assert require_passed("model", result) is result


def changed(change: Callable[[Dict[str, Any]], None]) -> Callable[[bytes, int, Any], Tuple[int, Any]]:
    """Return what changes each prediction of an answer by rows."""

    def spoil(content: bytes, status: int, said: Any) -> Tuple[int, Any]:
        for row in said.get("predictions", []):
            change(row)
        return status, said

    return spoil


def test_probabilities_of_another_number_are_found(server: Answering) -> None:
    server.spoil = changed(lambda row: row["probabilities"].append(0.0))
    names = [name for name, _, _ in failed(server)]
    assert names[:2] == [
        'probabilities as at training for "good"',
        'label, confidence and probabilities agree for "good"',
    ]


def test_outputs_of_another_model_are_found_and_nothing_else_is_asked(server: Answering) -> None:
    server.spoil = changed(lambda row: row.pop("confidence"))
    assert failed(server) == [
        (
            "outputs of each prediction",
            "confidence, label, probabilities",
            '{"label": "positive", "probabilities": [0.25, 0.75]}',
        )
    ]


@pytest.mark.parametrize(
    ("outputs", "observed"),
    [
        ({"label": ["a", "b"], "confidence": [1, 1]}, "the outputs confidence, label"),
        (
            {"label": ["a", "b"], "confidence": [1, 1], "probabilities": [[1], [1]]},
            "probabilities of the shape [2, 1], expected float[n,2]",
        ),
        (
            {"label": ["a", "b"], "confidence": ["1", "1"], "probabilities": [[1, 1], [1, 1]]},
            'confidence with "1", expected float[n]',
        ),
        (
            {"label": ["a"], "confidence": [1, 1], "probabilities": [[1, 1], [1, 1]]},
            "label of the shape [1], expected string[n]",
        ),
    ],
)
def test_names_dtypes_and_shapes_that_are_not_the_signatures_are_found(
    server: Answering, outputs: Dict[str, Any], observed: str
) -> None:
    server.spoil = lambda content, status, said: (status, {"outputs": outputs} if "outputs" in said else said)
    expected = "confidence float[n], label string[n], probabilities float[n,2]"
    assert failed(server) == [("answer of serving_default", expected, observed)]


def test_a_signature_that_is_not_the_models_is_found(server: Answering) -> None:
    server.outputs = {**OUTPUTS, "confidence": ("DT_INT64",)}
    assert failed(server) == [
        (
            "signature serving_default",
            "text string[n] → confidence float[n], label string[n], probabilities float[n,2]",
            "text string[n] → confidence int64[n], label string[n], probabilities float[n,2]",
        )
    ]


def test_a_signature_that_the_server_has_not_is_found(server: Answering) -> None:
    signatures = {"serving_default": (TEXT, OUTPUTS), "evaluate": ({"examples": ("DT_STRING",)}, OUTPUTS)}
    found = failed(server, interfaces=saved_interfaces(saved_model(signatures), "model"))
    assert [name for name, _, _ in found] == ["signature evaluate"]
    assert found[0][2] == "no such signature"


def test_answers_that_depend_on_the_batch_are_found(server: Answering) -> None:
    def spoil(content: bytes, status: int, said: Any) -> Tuple[int, Any]:
        if len(said.get("predictions", [])) == 1:
            said["predictions"][0].update(probabilities=[0.3, 0.7], confidence=0.7)
        return status, said

    server.spoil = spoil
    assert failed(server)[0] == (
        'one by one as in a batch for "good"',
        "[0.25000, 0.75000] within 0.0001",
        "[0.30000, 0.70000]",
    )


def test_a_server_that_fails_is_told_by_what_it_says(server: Answering) -> None:
    server.fail_after = 2
    (found,) = failed(server)
    assert found == (
        "an answer to each request",
        "status 200",
        f"{server.url}: answered with status 500: out of memory",
    )


def test_a_slow_model_is_found(server: Answering) -> None:
    server.pause_s = 0.003
    (found,) = failed(server, latency_ms=1)
    assert found[:2] == ("latency of one text", "p50 of at most 1 ms")
    assert found[2].startswith("p50 ")
    assert found[2].endswith(" of 50 requests")
    with pytest.raises(SmokeError, match=r"The model answers rightly, but slowly\. Run: make smoke"):
        require_passed("model", check_server(server.url, "sentiment", int(VERSION), subject(latency_ms=1)))


@pytest.mark.parametrize(
    ("status", "said", "observed"),
    [
        (200, {"predictions": []}, '200: {"predictions": []}'),
        (500, {"error": "ValueError"}, "500: ValueError"),
        (400, {"error": "bad"}, "400: bad"),
        (400, {"error": ""}, '400: {"error": ""}'),
        (400, {"error": "instances[1] Traceback (most recent call last)"}, None),
    ],
)
def test_a_bad_request_that_is_not_refused_rightly_is_found(
    server: Answering, status: int, said: Any, observed: str
) -> None:
    def spoil(content: bytes, right: int, answer: Any) -> Tuple[int, Any]:
        return (status, said) if content.endswith(b'{"text": 1}]}') else (right, answer)

    server.spoil = spoil
    (found,) = failed(server)
    assert found[:2] == ("refuses a number for a text", "400, which names instances[1]")
    assert observed in (None, found[2])


def test_a_server_of_another_kind_may_refuse_in_its_own_words(server: Answering) -> None:
    def spoil(content: bytes, status: int, said: Any) -> Tuple[int, Any]:
        return (422, {"error": "no"}) if status == 400 else (status, said)

    server.spoil = spoil
    assert len(failed(server)) == 5
    assert failed(server, is_ours=False) == []
    names = [name for name, _, _ in failed(server, is_direct=False)]
    assert names == [f"refuses {name}" for name in ("a number for a text", "a row without its text", "no rows")] + [
        "refuses an unknown signature"
    ]


def test_another_version_on_the_server_is_told(server: Answering) -> None:
    result = check_server(server.url, "sentiment", 7, subject())
    assert [(check.name, check.expected, check.observed) for check in result.checks] == [
        ("version and state", "7 AVAILABLE", "/v1/models/sentiment/versions/7: no such path")
    ]


def test_a_clear_fault_in_a_known_text_fails_and_a_close_one_does_not(server: Answering) -> None:
    known = [
        Known("good", "positive", "smoke.csv:2"),
        Known("good, is it?", "negative", "smoke.csv:3"),
        Known("very good", "ecstatic", "smoke.csv:4"),
    ]
    assert failed(server, known=known) == [
        ("known texts", "none of 2 clearly wrong", "1 right, 0 nearly, 1 wrong; 1 of labels that the model has not"),
        ('smoke.csv:3 "good, is it?"', "negative", "positive with 0.750, negative with 0.250"),
    ]

    def spoil(content: bytes, status: int, said: Any) -> Tuple[int, Any]:
        instances = json.loads(content).get("instances", []) if status == 200 else []
        for instance, row in zip(instances, said.get("predictions", [])):
            if instance["text"] == "good, is it?":
                row.update(probabilities=[0.4, 0.6], confidence=0.6)
        return status, said

    server.spoil = spoil
    assert failed(server, known=known) == []


def test_what_training_recorded_must_be_there(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(saved_model())
    with pytest.raises(ServingError, match="labels.json: is missing"):
        smoke_test(tmp_path, settings=settings)


def test_a_release_without_a_model_is_told(settings: Settings) -> None:
    outcome = Outcome(run="run", at="2026-11-22T21:30:41Z", blessed=True, model="/nowhere")
    with pytest.raises(ServingError, match="^/nowhere: no such folder"):
        smoke_test(Path(outcome.model), settings=settings)

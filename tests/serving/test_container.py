"""The server as Vertex AI starts it: its model in the stand-in of Cloud Storage, its variables those of Vertex AI."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import requests

from esteira.errors import ServingError
from esteira.google.api import Api
from esteira.local.cloud.server import served
from esteira.serving.container import Place, read_place
from esteira.serving.download import download_model
from esteira.settings import Environment
from tests.bucket_server import free_port
from tests.conftest import REPOSITORY
from tests.monitoring.log_place import LogPlace
from tests.serving.toy_folder import save_toy_model
from tests.serving.toy_model import LABELS

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.usefixtures("stand_in")]

WAIT_S = 120
VARIABLES = {
    "AIP_HTTP_PORT": "8080",
    "AIP_STORAGE_URI": "gs://bucket/model",
    "AIP_HEALTH_ROUTE": "/v1/models/sentiment",
    "AIP_PREDICT_ROUTE": "/v1/models/sentiment:predict",
}


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a model") / "1732300000"
    save_toy_model(folder)
    return folder


@pytest.fixture
def uploaded(environment: Environment, model_dir: Path) -> str:
    """The model in an empty bucket, with a marker of a folder as other tools leave them; returns its URI."""
    names = [path.relative_to(model_dir).as_posix() for path in model_dir.rglob("*") if path.is_file()]
    for name in names:
        upload(environment, f"tenant/artifacts/{name}", (model_dir / name).read_bytes())
    upload(environment, "tenant/artifacts/variables/", b"")
    upload(environment, "tenant/artifacts-of-another/saved_model.pb", b"another")
    return f"gs://{environment.bucket}/tenant/artifacts"


def upload(environment: Environment, name: str, content: bytes) -> None:
    url = f"{os.environ['STORAGE_EMULATOR_HOST']}/upload/storage/v1/b/{environment.bucket}/o"
    query = {"uploadType": "media", "name": name}
    requests.post(url, params=query, data=content, timeout=WAIT_S).raise_for_status()


def make_api() -> Api:
    return Api("demo-project", "europe-west1", os.environ, environment="dev", pause=lambda pause_s: None)


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_model_is_copied_whole_and_without_its_neighbours(
    uploaded: str, model_dir: Path, tmp_path: Path, ending: str
) -> None:
    size_bytes = download_model(make_api(), uploaded + ending, tmp_path / "copy")
    files = {path.relative_to(model_dir): path.read_bytes() for path in model_dir.rglob("*") if path.is_file()}
    copied = tmp_path / "copy"
    assert {path.relative_to(copied): path.read_bytes() for path in copied.rglob("*") if path.is_file()} == files
    assert size_bytes == sum(map(len, files.values()))


def test_a_large_file_is_copied_in_pieces(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esteira.serving.download.PIECE_BYTES", 1000)
    content = bytes(range(256)) * 11
    upload(environment, "model/variables.data", content)
    upload(environment, "model/empty", b"")
    assert download_model(make_api(), f"gs://{environment.bucket}/model", tmp_path) == len(content)
    assert (tmp_path / "variables.data").read_bytes() == content
    assert (tmp_path / "empty").read_bytes() == b""


def test_a_model_that_is_not_there_and_names_that_leave_the_folder_are_refused(
    environment: Environment, tmp_path: Path
) -> None:
    upload(environment, "odd/../../etc/passwd", b"x")
    faults = {}
    for name in ("nothing", "odd"):
        with pytest.raises(ServingError) as told:
            download_model(make_api(), f"gs://{environment.bucket}/{name}", tmp_path / "copy")
        faults[name] = str(told.value)
    assert faults == {
        "nothing": f"gs://{environment.bucket}/nothing: nothing lies there. Expected a SavedModel's folder. "
        "To push one: make deploy-full",
        "odd": f"gs://{environment.bucket}/odd/../../etc/passwd: is no name of a model's file. Remove it, and deploy "
        "the model again: make deploy",
    }
    with pytest.raises(ServingError, match="^/srv/model: is no place in Cloud Storage. Expected gs://bucket/folder$"):
        download_model(make_api(), "/srv/model", tmp_path)


@pytest.fixture
def container(uploaded: str, tmp_path: Path) -> "Iterator[subprocess.Popen[bytes]]":
    identity = {"AIP_PROJECT_NUMBER": "123", "AIP_ENDPOINT_ID": "45", "AIP_DEPLOYED_MODEL_ID": "6789"}
    with started_container(uploaded, tmp_path, [], identity) as process:
        yield process


@contextmanager
def started_container(
    uploaded: str, tmp_path: Path, options: List[str], variables: Dict[str, str]
) -> "Iterator[subprocess.Popen[bytes]]":
    port = free_port()
    environ = {**os.environ, **VARIABLES, "AIP_STORAGE_URI": uploaded, "AIP_HTTP_PORT": str(port), **variables}
    command = [sys.executable, "-m", "esteira.serving.container", "--version", "1732300000", "--max-batch", "8"]
    environ["TMPDIR"] = str(tmp_path)
    with subprocess.Popen(
        [*command, *options], cwd=REPOSITORY, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.port = port  # type: ignore[attr-defined]
        yield process
        process.kill()


@pytest.mark.slow
def test_the_container_serves_what_vertex_ai_asks_and_ends_when_told(container: Any, uploaded: str) -> None:
    wait_until_healthy(container)
    body = {"instances": [{"text": "good"}, {"text": "bad"}], "parameters": None}
    answer = request(container.port, "POST", VARIABLES["AIP_PREDICT_ROUTE"], body)
    assert [row["label"] for row in answer["predictions"]] == [LABELS[2], LABELS[0]]
    status = request(container.port, "GET", VARIABLES["AIP_HEALTH_ROUTE"])
    assert [entry["version"] for entry in status["model_version_status"]] == ["1732300000"]
    answer = request(container.port, "POST", "/v1/projects/p/locations/l/endpoints/45:predict", {"instances": ["good"]})
    assert (answer["deployedModelId"], answer["model"]) == ("6789", "projects/123/locations/-/models/45")
    container.send_signal(signal.SIGTERM)
    # Vertex AI's proxy may know it later: for a while it is not ready, and answers.
    assert answered(container.port, "GET", "/readyz") == (503, {"status": "stopping"})
    assert answered(container.port, "POST", VARIABLES["AIP_PREDICT_ROUTE"], body)[0] == 200
    output, errors = container.communicate(timeout=WAIT_S)
    assert (container.returncode, errors) == (0, b"")
    assert output.decode().startswith(f"Copied {uploaded}, ")


@pytest.mark.slow
@pytest.mark.parametrize(("endpoint", "logged"), [("sentiment-dev", True), ("sentiment-dev-check", False)])
def test_the_container_logs_what_vertex_ai_must_not_write_as_it_is(
    uploaded: str, tmp_path: Path, endpoint: str, logged: bool
) -> None:
    place, table = LogPlace(tmp_path), "demo-project.esteira.request_log"
    command = [*("--release", "a" * 12, "--region", "europe-west1", "--project", "demo-project")]
    command += ["--log-table", table, "--log-text", "redact"]
    with served(place.stand_in):
        environ = {"CLOUDSDK_API_ENDPOINT_OVERRIDES_BIGQUERY": place.stand_in.url + "bigquery/v2/"}
        environ.update(AIP_PROJECT_NUMBER="123", AIP_ENDPOINT_ID=endpoint, AIP_DEPLOYED_MODEL_ID="6789")
        with started_container(uploaded, tmp_path, command, environ) as process:
            wait_until_healthy(process)
            body = {"instances": [{"text": "a good thing"}, {"text": "bad"}]}
            request(process.port, "POST", VARIABLES["AIP_PREDICT_ROUTE"], body)
            process.send_signal(signal.SIGTERM)
            errors = process.communicate(timeout=WAIT_S)[1]
    assert (process.returncode, errors) == (0, b"")
    rows = place.rows()
    assert len(rows) == logged
    for row in rows:
        assert row["request_payload"] == ['{"text":"[redacted]"}'] * 2
        assert [json.loads(entry)["label"] for entry in row["response_payload"]] == [LABELS[2], LABELS[0]]
        found = (row["endpoint"], row["deployed_model_id"], row["release_id"], row["model_version"])
        location = "projects/123/locations/europe-west1"
        assert found == (f"{location}/endpoints/{endpoint}", "6789", "a" * 12, None)


def request(port: int, method: str, path: str, body: Any = None) -> Any:
    status, content = answered(port, method, path, body)
    assert status == 200, content
    return content


def answered(port: int, method: str, path: str, body: Any = None) -> Tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    connection.request(method, path, None if body is None else json.dumps(body))
    response = connection.getresponse()
    content = json.loads(response.read())
    connection.close()
    return response.status, content


def wait_until_healthy(process: Any) -> None:
    while process.poll() is None:
        try:
            status, content = answered(process.port, "GET", VARIABLES["AIP_HEALTH_ROUTE"])
            if status == 200:
                return
            # While the model is copied and loaded, Vertex AI is to send nobody.
            assert (status, content) == (503, {"error": "the model is being loaded; try again shortly"})
        except ConnectionRefusedError:
            pass
        time.sleep(0.05)
    pytest.fail(process.stderr.read().decode(), pytrace=False)


def test_what_vertex_ai_sets_is_read() -> None:
    assert read_place(VARIABLES) == Place(8080, "gs://bucket/model", "sentiment")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"AIP_STORAGE_URI": "", "AIP_HTTP_PORT": ""},
            "AIP_HTTP_PORT, AIP_STORAGE_URI: not set.\nExpected what Vertex AI sets in a container that it deploys. "
            "To serve a model on this machine: make serve",
        ),
        ({"AIP_HTTP_PORT": "http"}, "AIP_HTTP_PORT: is http; expected the number of a port"),
        ({"AIP_PREDICT_ROUTE": "/predict"}, "AIP_PREDICT_ROUTE: is /predict; expected /v1/models/NAME:predict"),
        (
            {"AIP_HEALTH_ROUTE": "/health"},
            "AIP_HEALTH_ROUTE: is /health; expected /v1/models/sentiment, as AIP_PREDICT_ROUTE has it",
        ),
    ],
)
def test_other_variables_are_told(changes: Dict[str, str], message: str) -> None:
    with pytest.raises(ServingError) as told:
        read_place({**VARIABLES, **changes})
    assert str(told.value) == message


def test_a_container_without_its_variables_ends_with_a_message() -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AIP_")}
    command = [sys.executable, "-m", "esteira.serving.container"]
    ended = subprocess.run(command, cwd=REPOSITORY, env=environ, capture_output=True, encoding="utf-8", timeout=WAIT_S)
    assert ended.returncode == ServingError.exit_code
    assert ended.stderr.startswith("AIP_HTTP_PORT, AIP_STORAGE_URI, AIP_HEALTH_ROUTE, AIP_PREDICT_ROUTE: not set.")

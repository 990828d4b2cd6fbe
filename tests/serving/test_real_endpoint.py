"""Google's own client reads and asks our server as it does a Vertex AI endpoint."""

import json
import os
import sys
from pathlib import Path

import pytest

from esteira.process import run_program
from esteira.serving.identity import Identity, endpoint_here
from esteira.serving.running import running_server
from tests.conftest import REPOSITORY
from tests.serving.toy_folder import save_toy_model
from tests.serving.toy_model import LABELS

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]


def test_googles_client_asks_the_endpoint_and_reads_its_models(tmp_path: Path) -> None:
    folder, name = tmp_path / "1732300000", endpoint_here("toy-local")
    save_toy_model(folder)
    with running_server(folder, name="toy", deployed=Identity(name, "1234567890", "0123456789ab")) as url:
        command = [sys.executable, "-m", "tests.serving.real_endpoint", url, name]
        environ = {**os.environ, "PYTHONWARNINGS": "ignore"}
        told = json.loads(run_program(command, cwd=REPOSITORY, env=environ).splitlines()[-1])
    assert told == {
        "labels": [LABELS[2], LABELS[0]],
        "deployed_model": "1234567890",
        "version": "1732300000",
        "model": "projects/local/locations/local/models/toy-local",
        "traffic": {"1234567890": 100},
        "releases": ["0123456789ab"],
        "raw": [[LABELS[2]], "1234567890", "toy-local"],
        "refused": "instances[0].txt: no such input; serving_default takes text",
    }

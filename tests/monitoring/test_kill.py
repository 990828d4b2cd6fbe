"""The proof that nothing is lost: a real server under load is killed at a random moment, several times."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Dict, List
from urllib.parse import urlsplit

import pytest

from esteira.monitoring.journal.segments import list_segments
from esteira.monitoring.warehouse.database import open_place
from esteira.monitoring.warehouse.loader_process import start_loader
from tests.conftest import REPOSITORY
from tests.monitoring.logged import place_in, rows_of
from tests.serving.toy_folder import save_toy_model

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]

ROUNDS = 4
CONNECTIONS = 16
PREDICT = "/v1/models/toy:predict"
ENDPOINT = "projects/local/locations/local/endpoints/toy-local"


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "1732300000"
    save_toy_model(folder)
    return folder


def start_server(model_dir: Path, warehouse: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "esteira.serving.server", "--model-dir", str(model_dir), "--name", "toy"]
    command += ["--port", "0", "--log-folder", str(warehouse), "--endpoint", ENDPOINT, "--release", "r-1"]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, encoding="utf-8")


def url_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().split(" at ")[1].split()[0]


def ask_until_it_dies(url: str, name: str, answered: Dict[int, str]) -> None:
    """Ask over one connection, and note the id of each answer that has come in whole, with the text it was for."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        for number in range(10**9):
            text = f"a good film, {name}-{number}"
            body = json.dumps({"instances": [{"text": text}]})
            connection.request("POST", PREDICT, body)
            answer = connection.getresponse()
            json.loads(answer.read())
            assert answer.status == 200
            answered[int(answer.headers["x-request-id"])] = text
    except (OSError, http.client.HTTPException, ValueError):
        return


def test_every_answer_that_a_client_has_seen_is_in_the_log_once(model_dir: Path, tmp_path: Path) -> None:
    place = place_in(tmp_path)
    seen: Dict[int, str] = {}
    chance = random.Random(7)
    for round_ in range(ROUNDS):
        server = start_server(model_dir, place.folder)
        url = url_of(server)
        # It loads while the server writes, and is killed in every other round, too.
        loader = start_loader(place)
        answered: List[Dict[int, str]] = [{} for _ in range(CONNECTIONS)]
        clients = [
            threading.Thread(target=ask_until_it_dies, args=(url, f"{round_}-{index}", one))
            for index, one in enumerate(answered)
        ]
        for client in clients:
            client.start()
        time.sleep(0.3 + 2 * chance.random())
        if round_ % 2:
            os.kill(loader.pid, signal.SIGKILL)
        server.kill()
        for client in clients:
            client.join()
        server.communicate()
        loader.stop()
        for one in answered:
            assert one, "a client has seen no answer at all"
            seen.update(one)
    with open_place(place) as warehouse:
        rows = rows_of(warehouse)
    logged = {int(row["request_id"]): json.loads(row["request_payload"][0])["text"] for row in rows}
    assert len(logged) == len(rows)
    assert {number: logged.get(number) for number in seen} == seen
    # Of each connection, the request that was under way when the server died may be kept though nobody saw its answer.
    assert len(rows) - len(seen) <= ROUNDS * CONNECTIONS
    assert list_segments(place.journal) == []

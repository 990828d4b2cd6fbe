"""What is asked where no server serves the current release."""

import shutil
from pathlib import Path
from typing import List

import pytest

from esteira.monitoring.warehouse.database import open_warehouse
from esteira.serving.opened import opened_endpoint, server_url
from esteira.settings import Settings
from tests.serving.small_model import deployed_model
from tests.serving.toy_folder import save_toy_model
from tests.serving.toy_model import LABELS


@pytest.mark.programs
@pytest.mark.loopback
@pytest.mark.slow
def test_a_server_is_started_for_the_question_and_keeps_it(settings: Settings, tmp_path: Path) -> None:
    release = deployed_model(settings, "1732300000")
    model = Path(release.outcome.model if release.outcome else "")
    shutil.rmtree(model)
    save_toy_model(model)
    own = settings.copy(update={"serving": settings.serving.copy(update={"port": 1})})
    said: List[str] = []
    with opened_endpoint(own, said.append, timeout_s=30) as endpoint:
        answered = endpoint.ask([{"text": "good"}])
        labels = endpoint.labels_of(answered)
    assert (answered.release, answered.version, labels) == (release.id, "1732300000", LABELS)
    assert said == [
        "No server at http://127.0.0.1:1 serves the current release: one is started for now. To keep one: make serve"
    ]
    with open_warehouse(own) as warehouse:
        rows = warehouse.query("look", "SELECT request_id, release_id, endpoint FROM `esteira.request_log`")
    endpoint_name = "projects/local/locations/local/endpoints/sentiment-local"
    assert [(str(row["request_id"]), row["release_id"], row["endpoint"]) for row in rows] == [
        (answered.request_id, release.id, endpoint_name)
    ]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8501"),
        ("0.0.0.0", "http://127.0.0.1:8501"),
        ("::", "http://[::1]:8501"),
        ("localhost", "http://localhost:8501"),
    ],
)
def test_a_server_is_looked_for_where_make_serve_listens(settings: Settings, host: str, url: str) -> None:
    serving = settings.serving.copy(update={"host": host, "port": 8501})
    assert server_url(settings.copy(update={"serving": serving})) == url

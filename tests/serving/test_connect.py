"""The client for a program of one's own."""

import subprocess
import sys
from typing import Iterator

import pytest

import esteira
from esteira import connect
from esteira.errors import ServingError, SettingsError
from esteira.serving.endpoint import RefusedError
from esteira.serving.prediction import Answered, Prediction
from esteira.settings import Settings
from tests.conftest import REPOSITORY
from tests.serving.answering import VERSION, Answering, answering

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as server:
        yield server


def test_texts_are_answered_with_what_the_request_log_knows_them_by(server: Answering) -> None:
    with connect(server.url) as model:
        good, bad = model.predict(["good", "bad"])
    assert good == Prediction("good", "positive", 0.75, {"negative": 0.25, "positive": 0.75}, "7001", 0, VERSION, "")
    assert (bad.label, bad.request_id, bad.row_number) == ("negative", "7001", 1)


def test_a_model_that_is_let_go_of_after_its_answer_has_still_its_labels(server: Answering) -> None:
    server.is_endpoint = server.retires = True
    with connect(server.url) as model:
        (good,) = model.predict(["good"])
    assert (good.probabilities, good.model_version) == ({"negative": 0.25, "positive": 0.75}, VERSION)
    assert good.release == "r7"


def test_classes_of_a_model_that_nobody_knows_any_more_are_numbered(server: Answering) -> None:
    server.is_endpoint = server.is_retired = server.retires = True
    with connect(server.url) as model:
        answered = Answered([], deployed_id="7", version=VERSION)
        assert model._endpoint.labels_of(answered) is None


def test_many_texts_go_in_several_requests(server: Answering) -> None:
    with connect(server.url) as model:
        predictions = model.predict(f"good {number}" for number in range(100))
    assert [one.text for one in predictions] == [f"good {number}" for number in range(100)]
    assert [len(instances) for instances in server.instances] == [64, 36]


def test_no_text_is_no_request(server: Answering) -> None:
    with connect(server.url) as model:
        assert model.predict([]) == []
    assert server.instances == []


def test_local_is_what_make_serve_serves(settings: Settings, server: Answering) -> None:
    environ = {"ESTEIRA_SERVING_PORT": str(server.port)}
    with connect("local", environ=environ) as model:
        assert model.predict(["good"])[0].label == "positive"
    own = settings.copy(update={"serving": settings.serving.copy(update={"port": server.port})})
    with connect(own) as model:
        assert str(model.interface) == "text string[n] → confidence float[n], label string[n], probabilities float[n,2]"


def test_what_is_refused_is_told_in_the_servers_words(server: Answering) -> None:
    with connect(server.url) as model, pytest.raises(RefusedError) as told:
        model.ask([{"text": "refuse me"}])
    assert (told.value.status, told.value.said) == (400, "instances[0].text: refused")


def test_a_model_of_another_kind_is_asked_as_its_signature_has_it(server: Answering) -> None:
    server.inputs = {"point": ("DT_FLOAT", 2), "times": ("DT_INT64",)}
    with connect(server.url) as model:
        assert len(model.ask([{"point": [1, 2], "times": 3}]).predictions) == 1
        with pytest.raises(ServingError, match=r"^the model takes point, times\. Expected one text\. Use: model\.ask"):
            model.predict(["good"])


def test_one_text_is_no_list_of_texts(server: Answering) -> None:
    with connect(server.url) as model, pytest.raises(TypeError, match=r"got one text: predict\(\[text\]\)"):
        model.predict("good")


def test_an_environment_that_there_is_not_is_told() -> None:
    with pytest.raises(SettingsError, match="^ENV=dve: no such environment"):
        connect("dve", environ={})


def test_the_package_has_nothing_else_of_that_kind() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        esteira.conect  # noqa: B018


@pytest.mark.programs
def test_importing_the_client_imports_nothing_heavy() -> None:
    code = (
        "import sys; from esteira import connect; connect('http://127.0.0.1:1'); import esteira.serving.ask; "
        "print([name for name in ('numpy', 'tensorflow', 'requests', 'rich', 'duckdb') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, encoding="utf-8")
    assert (ended.stdout, ended.stderr) == ("[]\n", "")

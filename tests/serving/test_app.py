import asyncio
import json
from collections import Counter
from typing import Any, AsyncIterator, Dict, List, Optional

import pytest

from esteira.serving.app import EXPECTED
from esteira.serving.limits import Limits
from tests.serving.toy_app import ENDPOINT, Answered, ToyApp, whole

PREDICT = "/v1/models/toy:predict"
VERTEX = "/v1/projects/p/locations/l/endpoints/toy-local"
MB = 1 << 20


@pytest.fixture
def toy() -> Any:
    with ToyApp() as toy:
        yield toy


def test_status_lists_every_version_or_the_one_that_is_asked_for(toy: ToyApp) -> None:
    ready = {"state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    answer = toy.ask("GET", "/v1/models/toy")
    both = [{"version": "3", **ready}, {"version": "12", **ready}]
    assert (answer.status, answer.body) == (200, {"model_version_status": both})
    assert toy.ask("GET", "/v1/models/toy/versions/3").body == {"model_version_status": both[:1]}


def test_metadata_has_tensorflow_servings_form_and_the_labels(toy: ToyApp) -> None:
    shape = {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
    assert toy.ask("GET", "/v1/models/toy/versions/3/metadata").body == {
        "model_spec": {"name": "toy", "signature_name": "", "version": "3"},
        "metadata": {
            "signature_def": {
                "signature_def": {
                    "serving_default": {
                        "inputs": {"text": {"dtype": "DT_STRING", "tensor_shape": shape, "name": "text:0"}},
                        "outputs": {"length": {"dtype": "DT_INT64", "tensor_shape": shape, "name": "length:0"}},
                        "method_name": "tensorflow/serving/predict",
                    }
                }
            },
            "labels": ["a", "b"],
        },
    }
    assert toy.ask("GET", "/v1/models/toy/metadata").body["model_spec"]["version"] == "12"


def test_predict_answers_in_the_form_of_the_request_whatever_its_content_type(toy: ToyApp) -> None:
    answer = toy.ask("POST", PREDICT, (b'{"instances": ', b'["abc", ""]}'))
    assert (answer.status, answer.body) == (200, {"predictions": [3, 0]})
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = toy.ask("POST", "/v1/models/toy/versions/3:predict", (b'{"inputs": ["abc"]}',), form)
    assert (answer.status, answer.body) == (200, {"outputs": [3]})


def test_an_answer_tells_its_number_and_which_model_gave_it(toy: ToyApp) -> None:
    first, second = (toy.ask("POST", PREDICT, (b'{"instances": ["abc"]}',)).headers for _ in range(2))
    told = {"content-type": "application/json", "content-length": "19", "x-vertex-ai-deployed-model-id": "id-12"}
    told = {**told, "x-model-version": "12", "x-release-id": "release-12", "x-request-id": first["x-request-id"]}
    assert first == told
    assert int(second["x-request-id"]) == int(first["x-request-id"]) + 1 < 1 << 63


def test_a_large_request_is_answered_too(toy: ToyApp) -> None:
    texts = ["x" * (index % 50) for index in range(5000)]
    # Each version's queue takes a request beyond its bound while it is empty.
    answer = toy.ask("POST", PREDICT, (json.dumps({"instances": texts}).encode(),))
    assert (answer.status, answer.body) == (200, {"predictions": [len(text) for text in texts]})


def test_vertex_ais_predict_tells_the_model_beside_the_predictions(toy: ToyApp) -> None:
    body = b'{"instances": [{"text": "abc"}], "parameters": null}'
    assert toy.ask("POST", f"{VERTEX}:predict", (body,)).body == {
        "predictions": [3],
        "deployedModelId": "id-12",
        "model": "projects/local/locations/local/models/toy-local",
        "modelDisplayName": "toy-local",
        "modelVersionId": "12",
    }


def test_vertex_ais_raw_predict_passes_the_models_own_answer_on(toy: ToyApp) -> None:
    answer = toy.ask("POST", f"{VERTEX}:rawPredict", (b'{"inputs": ["abc"]}',))
    assert (answer.status, answer.body) == (200, {"outputs": [3]})
    assert {name: value for name, value in answer.headers.items() if name.startswith("x-vertex-ai")} == {
        "x-vertex-ai-endpoint-id": "toy-local",
        "x-vertex-ai-deployed-model-id": "id-12",
        "x-vertex-ai-model": "projects/local/locations/local/models/toy-local",
        "x-vertex-ai-model-version-id": "12",
    }


def test_the_endpoint_tells_what_is_deployed_and_how_traffic_is_split() -> None:
    with ToyApp((90, 10)) as toy:
        assert toy.ask("GET", VERTEX).body == {
            "name": ENDPOINT,
            "displayName": "toy-local",
            "deployedModels": [
                {
                    "id": f"id-{version}",
                    "model": "projects/local/locations/local/models/toy-local",
                    "modelVersionId": str(version),
                    "displayName": f"release-{version}",
                    "createTime": "2026-01-03",
                }
                for version in (3, 12)
            ],
            "trafficSplit": {"id-3": 90, "id-12": 10},
            "predictRequestResponseLoggingConfig": {"enabled": False, "samplingRate": 0.0},
            "labels": {"log_text": "keep"},
            "createTime": "2026-01-03",
            "updateTime": "2026-01-03",
        }


@pytest.mark.parametrize(("shares", "least", "most"), [((90, 10), 40, 180), ((0, 100), 1000, 1000), ((100,), 0, 0)])
def test_requests_go_to_each_model_by_its_share(shares: Any, least: int, most: int) -> None:
    with ToyApp(shares) as toy:
        asked = Counter(toy.catalogue.choose().version for _ in range(1000))
        assert least <= asked[12] <= most
        answers = {toy.ask("POST", f"{VERTEX}:predict", (b'{"instances": [""]}',)).body["modelVersionId"]}
        assert answers <= {str(share.model.version) for share in toy.shares}


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/models/other", 404, 'no model "other"; this server has toy'),
        ("POST", "/v1/models/other:predict", 404, 'no model "other"; this server has toy'),
        ("GET", "/v1/models/toy/versions/4", 404, 'the model "toy" has no version "4"; it has 3, 12'),
        ("GET", "/v1/models/toy/versions/x/metadata", 404, 'the model "toy" has no version "x"; it has 3, 12'),
        ("POST", "/v1/models/toy/versions/4:predict", 404, 'the model "toy" has no version "4"; it has 3, 12'),
        ("GET", "/v1/models/toy/", 404, f"/v1/models/toy/: no such path; {EXPECTED}"),
        ("POST", "/v1/models/toy:explain", 404, f"/v1/models/toy:explain: no such path; {EXPECTED}"),
        (
            "POST",
            "/v1/models/toy:classify",
            501,
            ":classify: is not supported; use :predict, which takes every signature of the model",
        ),
        ("GET", PREDICT, 405, "/v1/models/toy:predict: GET is not allowed; expected POST"),
        ("PUT", "/v1/models/toy", 405, "/v1/models/toy: PUT is not allowed; expected GET, HEAD"),
        ("POST", PREDICT, 400, "body: expected JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_what_is_not_there_is_told(toy: ToyApp, method: str, path: str, status: int, message: str) -> None:
    answer = toy.ask(method, path)
    assert (answer.status, answer.body) == (status, {"error": message})


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        (
            "POST",
            "/v1/projects/p/locations/l/endpoints/other:predict",
            b"",
            {"code": 404, "message": 'no endpoint "other"; this server has toy-local', "status": "NOT_FOUND"},
        ),
        (
            "GET",
            "/v1/projects/p/locations/l/endpoints/other",
            b"",
            {"code": 404, "message": 'no endpoint "other"; this server has toy-local', "status": "NOT_FOUND"},
        ),
        (
            "POST",
            f"{VERTEX}:predict",
            b'{"inputs": ["abc"]}',
            {
                "code": 400,
                "message": "instances: missing; Vertex AI's :predict takes rows alone. For columns: :rawPredict",
                "status": "INVALID_ARGUMENT",
            },
        ),
        (
            "GET",
            f"{VERTEX}:predict",
            b"",
            {"code": 405, "message": f"{VERTEX}:predict: GET is not allowed; expected POST", "status": "UNIMPLEMENTED"},
        ),
    ],
)
def test_vertex_ais_routes_err_as_googles_apis_do(toy: ToyApp, method: str, path: str, body: bytes, error: Any) -> None:
    answer = toy.ask(method, path, (body,))
    assert (answer.status, answer.body) == (error["code"], {"error": error})


def test_a_body_that_is_too_large_is_refused_and_the_connection_closed(toy: ToyApp) -> None:
    answer = toy.ask("POST", PREDICT, (b" " * MB,) * 9)
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert answer.body == {"error": f"body: more than {8 * MB} bytes; send fewer rows in one request"}


def test_a_compressed_body_is_refused(toy: ToyApp) -> None:
    answer = toy.ask("POST", PREDICT, (b"x",), {"content-encoding": "gzip"})
    message = "content-encoding: gzip is not supported; send the JSON as it is"
    assert (answer.status, answer.body) == (415, {"error": message})
    plain = toy.ask("POST", PREDICT, (b'{"instances": ["abc"]}',), {"content-encoding": "Identity"})
    assert plain.status == 200


def test_a_model_that_fails_is_a_fault_of_the_server(toy: ToyApp) -> None:
    sent = []

    async def send(message: Dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": PREDICT, "query_string": b"", "headers": []}
    # Raised again after the answer, so that the server's log has the traceback.
    with pytest.raises(OSError, match="out of luck"):
        asyncio.run(toy.app(scope, whole([b'{"instances": ["fail"]}']).__anext__, send))
    assert sent[0]["status"] == 500
    assert json.loads(sent[1]["body"]) == {"error": "the server failed: OSError: out of luck"}


def test_liveness_does_not_wait_for_a_model_and_readiness_does(toy: ToyApp) -> None:
    assert (toy.ask("GET", "/healthz").status, toy.ask("GET", "/readyz").body) == (200, {"status": "ready"})
    toy.catalogue.replace([])
    assert toy.ask("GET", "/healthz")[:2] == (200, {"status": "alive"})
    assert toy.ask("GET", "/readyz")[:2] == (503, {"status": "loading"})
    for method, path in (("GET", "/v1/models/toy"), ("POST", PREDICT), ("POST", "/v1/models/toy/versions/3:predict")):
        answer = toy.ask(method, path, (b'{"instances": ["a"]}',))
        assert answer[:2] == (503, {"error": "the model is being loaded; try again shortly"})
        assert answer.headers["retry-after"] == "1"
    toy.catalogue.is_stopping = True
    assert toy.ask("GET", "/readyz")[:2] == (503, {"status": "stopping"})


# How long a body or an answer may take here, and no test waits for more.
SHORT = Limits(timeout_s=0.1)


def ask_with(toy: ToyApp, events: AsyncIterator[Dict[str, Any]]) -> Answered:
    return asyncio.run(toy.talk("POST", PREDICT, events, {}))


async def slowly(content: bytes) -> AsyncIterator[Dict[str, Any]]:
    for byte in content:
        yield {"type": "http.request", "body": bytes([byte]), "more_body": True}
        await asyncio.sleep(0.03)


def test_a_body_that_does_not_arrive_in_time_is_given_up() -> None:
    with ToyApp(limits=SHORT) as toy:
        answer = ask_with(toy, slowly(b'{"instances": ["abc"]}'))
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert answer.body == {"error": "body: had not arrived within 0.1 s"}
        assert toy.app.bodies.held_bytes == 0


async def until_taken(toy: ToyApp) -> None:
    """Return when the model runs on what was asked of version 12."""
    model = toy.shares[1].model
    while not model.asked or model.batcher.waiting_rows:
        await asyncio.sleep(0)


def test_an_answer_that_takes_too_long_is_given_up_and_what_waits_for_it_is_not_run() -> None:
    with ToyApp(limits=Limits(timeout_s=1)) as toy:
        toy.may_answer.clear()

        async def ask_twice() -> Any:
            runs = asyncio.ensure_future(toy.talk("POST", PREDICT, whole([b'{"instances": ["runs"]}']), {}))
            await until_taken(toy)
            waits = toy.talk("POST", PREDICT, whole([b'{"instances": ["waits"]}']), {})
            return await asyncio.gather(runs, waits)

        for answer in asyncio.run(ask_twice()):
            message = "no answer within 1 s; send fewer rows, or try again later"
            assert answer[:2] == (504, {"error": message})
        toy.may_answer.set()
        assert toy.ask("POST", PREDICT, (b'{"instances": ["then"]}',)).body == {"predictions": [4]}
        assert toy.ran == [b"runs", b"then"]


def test_more_rows_than_may_wait_are_told_to_come_again() -> None:
    with ToyApp(limits=Limits(max_waiting=2)) as toy:
        toy.may_answer.clear()

        async def ask_all() -> Any:
            asked = [asyncio.ensure_future(toy.talk("POST", PREDICT, whole([b'{"instances": ["a"]}']), {}))]
            await until_taken(toy)
            asked += [
                asyncio.ensure_future(toy.talk("POST", PREDICT, whole([b'{"instances": ["a"]}']), {})) for _ in range(3)
            ]
            while not asked[3].done():
                await asyncio.sleep(0)
            toy.may_answer.set()
            return await asyncio.gather(*asked)

        answers = asyncio.run(ask_all())
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[3].body == {"error": "2 rows are waiting; try again in a second"}
    assert answers[3].headers["retry-after"] == "1"


def test_no_more_bodies_are_held_than_fit_and_the_rest_come_again() -> None:
    """A thousand clients send the largest body at once, each a chunk at a time."""
    limits = Limits(max_body_bytes=80_000)
    most = 0
    with ToyApp(limits=limits) as toy:

        async def body() -> AsyncIterator[Dict[str, Any]]:
            nonlocal most
            for piece in [b'{"instances": ["'] + [b"x" * 7_900] * 10:
                most = max(most, toy.app.bodies.held_bytes)
                yield {"type": "http.request", "body": piece, "more_body": True}
                await asyncio.sleep(0)
            yield {"type": "http.request", "body": b'"]}', "more_body": False}

        async def ask_all() -> Any:
            return await asyncio.gather(*(toy.talk("POST", PREDICT, body(), {}) for _ in range(1000)))

        answers = asyncio.run(ask_all())
        assert toy.app.bodies.held_bytes == 0
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {200, 429} and statuses[200] >= 32
    assert limits.max_held_bytes * 0.9 < most <= limits.max_held_bytes == 32 * 80_000
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.body == {"error": "body: 2 MB of requests are held already; try again in a second"}
    assert refused.headers["retry-after"] == "1"


def test_a_client_that_leaves_within_its_body_is_counted_and_answered_nothing(toy: ToyApp) -> None:
    async def leave() -> AsyncIterator[Dict[str, Any]]:
        yield {"type": "http.request", "body": b'{"instances"', "more_body": True}
        yield {"type": "http.disconnect"}

    assert ask_with(toy, leave()) == Answered(0, None, {})
    assert toy.app.bodies.held_bytes == 0
    assert toy.counts.answers == {("/v1/models:predict", 499, ""): 1}


class Kept:
    """A log that cannot be written at first."""

    def __init__(self, failures: int) -> None:
        self.kept: Any = []
        self.writes: List[int] = []
        self._failures = failures

    def keep(self, answered: Any) -> None:
        if self._failures:
            self._failures -= 1
            raise OSError(28, "No space left on device", "/srv/journal")
        self.writes.append(len(answered))
        self.kept += [(one.deployed.id, *one[1:]) for one in answered]
        self.endpoint = answered[-1].deployed.endpoint

    def close(self) -> None:
        pass


def test_what_is_answered_is_kept_as_the_model_answered_it_and_nothing_else() -> None:
    log = Kept(0)
    with ToyApp(log=log) as toy:
        body = b'{"instances": ["abc"]}'
        ids = [toy.ask("POST", path, (body,)).headers["x-request-id"] for path in (PREDICT, f"{VERTEX}:predict")]
        toy.ask("POST", PREDICT, (b"no JSON",))
        toy.ask("GET", "/v1/models/toy")
    assert log.kept == [("id-12", int(one), body, b'{"predictions":[3]}') for one in ids]
    assert (toy.counts.log_records, toy.counts.log_failures) == (2, 0)


def ask_together(toy: ToyApp, count: int) -> List[Answered]:
    """Ask `count` times at once, so that the model runs on most of them together."""

    async def ask() -> List[Answered]:
        bodies = [whole([b'{"instances": ["abc"]}']) for _ in range(count)]
        return await asyncio.gather(*(toy.talk("POST", PREDICT, body, {}) for body in bodies))

    return asyncio.run(ask())


def test_what_is_answered_together_is_kept_by_one_write() -> None:
    log = Kept(0)
    with ToyApp(log=log) as toy:
        answers = ask_together(toy, 6)
    assert [answer.status for answer in answers] == [200] * 6
    assert (sum(log.writes), max(log.writes) > 1) == (6, True)
    assert sorted(kept[1] for kept in log.kept) == sorted(int(answer.headers["x-request-id"]) for answer in answers)
    assert toy.counts.log_records == 6


def test_much_at_once_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esteira.serving.answer_log.WRITE_BYTES", 1)
    log = Kept(0)
    with ToyApp(log=log) as toy:
        assert [answer.status for answer in ask_together(toy, 6)] == [200] * 6
    assert log.writes == [1] * 6


def test_a_request_that_checks_the_model_is_kept_as_of_the_endpoint_for_checks() -> None:
    log = Kept(0)
    with ToyApp(log=log) as toy:
        answer = toy.ask("POST", PREDICT, (b'{"instances": ["abc"]}',), {"x-esteira-check": "1"})
    assert answer.headers["x-vertex-ai-deployed-model-id"] == "id-12"
    assert [kept[0] for kept in log.kept] == ["id-12-check"]
    assert log.endpoint == f"{ENDPOINT}-check"


def test_a_log_that_cannot_be_written_hinders_no_answer_and_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    log = Kept(2)
    with ToyApp(log=log) as toy:
        statuses = [toy.ask("POST", PREDICT, (b'{"instances": ["abc"]}',)).status for _ in range(3)]
    assert statuses == [200] * 3
    assert (toy.counts.log_failures, toy.counts.log_records, len(log.kept)) == (2, 1, 1)
    assert capsys.readouterr().err == (
        "request log: cannot be written: [Errno 28] No space left on device: '/srv/journal'\n"
        "Requests are answered without being kept.\n"
    )


def samples(text: str) -> Dict[str, float]:
    """Return the values of a text in Prometheus' format, by what stands before them."""
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_metrics_count_requests_rows_batches_and_models() -> None:
    with ToyApp((90, 10), log=Kept(1)) as toy:
        for path, body in (
            ("/v1/models/toy/versions/3:predict", b'{"instances": ["a", "b"]}'),
            ("/v1/models/toy/versions/3:predict", b'{"instances": ["a"]}'),
            (PREDICT, b"[]"),
        ):
            toy.ask("POST", path, (body,))
        answer = toy.ask("GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(answer.body)
    model = 'deployed_model="id-3",'
    wanted: Dict[str, Optional[float]] = {
        'esteira_requests_total{route="/v1/models:predict",status="200",version="3"}': 2,
        'esteira_rows_total{version="3"}': 3,
        'esteira_request_seconds_bucket{le="+Inf"}': 3,
        f'esteira_model_info{{{model}endpoint="{ENDPOINT}",release="release-3",version="3"}}': 1,
        f'esteira_traffic_percent{{{model}version="3"}}': 90,
        f'esteira_batch_rows_bucket{{{model}le="1.0",version="3"}}': 1,
        f'esteira_batch_rows_bucket{{{model}le="2.0",version="3"}}': 2,
        f'esteira_batch_rows_sum{{{model}version="3"}}': 3,
        f'esteira_waiting_rows{{{model}version="3"}}': 0,
        "esteira_ready": 1,
        "esteira_held_body_bytes": 0,
        "esteira_reloads_total": 0,
        "esteira_failed_reloads_total": 0,
        "esteira_log_records_total": 1,
        "esteira_log_failures_total": 1,
    }
    assert {name: found.get(name) for name in wanted} == wanted
    refused = [name for name in found if 'status="400"' in name]
    assert sum(found[name] for name in refused) == 1

"""A journal that is streamed into BigQuery, and the log of a server in a container."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator, List, Sequence

import pytest

from esteira.errors import GoogleError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, served
from esteira.monitoring.bigquery.stream import Answer, Identified
from esteira.monitoring.bigquery.streamed_log import StreamedLog, Target
from esteira.monitoring.bigquery.streamer import Streamer, stream_until_closed
from esteira.monitoring.deployed import Deployed
from esteira.monitoring.journal.frames import REQUEST as REQUEST_FRAME
from esteira.monitoring.journal.frames import frame
from esteira.monitoring.journal.request_log import RequestLog
from esteira.monitoring.journal.segments import JOURNAL, list_segments
from esteira.serving.answer_log import Exchange
from tests.monitoring.log_place import TABLE, LogPlace

pytestmark = pytest.mark.loopback

ENDPOINT = "projects/1/locations/europe-west1/endpoints/sentiment-dev"
MODEL = Deployed(ENDPOINT, "1234567890", "1732300000", "a" * 12, ("negative", "positive"))
PATIENCE_S = 240.0
INSERT = "bigquery.tabledata.insertAll"
REQUEST, RESPONSE = b'{"instances": [{"text": "bom dia"}]}', b'{"predictions": [{"label": "positive"}]}'


@pytest.fixture
def place(tmp_path: Path) -> Iterator[LogPlace]:
    found = LogPlace(tmp_path / "log")
    with served(found.stand_in):
        yield found


def make_log(place: LogPlace, **options: Any) -> RequestLog:
    return RequestLog(place.folder, percent=100, text="keep", **options)


def test_requests_become_rows_without_the_version_that_only_vertex_ai_knows(place: LogPlace) -> None:
    log = make_log(place)
    log.keep([Exchange(MODEL, 7, REQUEST, RESPONSE)])
    assert place.streamer.send() == 1
    (row,) = place.rows()
    assert (row.pop("logging_time").tzinfo is not None, int(row.pop("request_id"))) == (True, 7)
    assert row == {
        "endpoint": ENDPOINT,
        "deployed_model_id": "1234567890",
        "request_payload": ['{"text":"bom dia"}'],
        "response_payload": ['{"label":"positive"}'],
        "model_version": None,
        "release_id": "a" * 12,
    }


def test_what_was_sent_is_not_sent_again_and_goes_from_the_disk_once_its_writer_is_done(place: LogPlace) -> None:
    log, streamer = make_log(place), place.streamer
    log.keep([Exchange(MODEL, 1, REQUEST, RESPONSE)])
    assert (streamer.send(), streamer.send()) == (1, 0)
    log.keep([Exchange(MODEL, 2, REQUEST, RESPONSE)])
    log.close()
    assert streamer.send() == 1
    assert list_segments(place.folder / JOURNAL) == []
    assert [int(row["request_id"]) for row in place.rows()] == [1, 2]


def test_an_answer_that_is_lost_makes_no_second_row(place: LogPlace) -> None:
    log = make_log(place)
    log.keep([Exchange(MODEL, 1, REQUEST, RESPONSE)])
    place.stand_in.faults.add(Fault(INSERT, "lost"))
    place.streamer.send()
    assert len(place.stand_in.called(INSERT)) == 2
    assert len(place.rows()) == 1


def test_what_is_refused_stays_until_it_is_taken(place: LogPlace) -> None:
    log, streamer = make_log(place, segment_bytes=200), place.streamer
    for number in range(5):
        log.keep([Exchange(MODEL, number, REQUEST, RESPONSE)])
    place.stand_in.faults.add(Fault(INSERT, "denied"))
    with pytest.raises(GoogleError, match="^Google Cloud: cannot write into demo-project.esteira.request_log"):
        streamer.send()
    assert place.rows() == []
    assert streamer.send() == 5
    assert len(place.rows()) == 5


def sent(place: LogPlace) -> List[List[int]]:
    """Return the ids in each request that came."""
    return [[int(row["insertId"]) for row in call.body["rows"]] for call in place.stand_in.called(INSERT)]


def test_requests_have_a_bounded_size_as_it_is_sent(place: LogPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    log = make_log(place)
    for number in range(7):
        body = json.dumps({"instances": ["я" * 50]}, ensure_ascii=False).encode()
        log.keep([Exchange(MODEL, number, body, RESPONSE)])
    monkeypatch.setattr("esteira.monitoring.bigquery.batches.BATCH_ROWS", 3)
    assert place.streamer.send() == 7
    assert sent(place) == [[0, 1, 2], [3, 4, 5], [6]]
    one_bytes = len(place.stand_in.called(INSERT)[-1].content)
    monkeypatch.setattr("esteira.monitoring.bigquery.batches.BATCH_BYTES", 2 * one_bytes)
    for number in range(7, 12):
        body = json.dumps({"instances": ["я" * 50]}, ensure_ascii=False).encode()
        log.keep([Exchange(MODEL, number, body, RESPONSE)])
    assert place.streamer.send() == 5
    assert sent(place)[3:] == [[7, 8], [9, 10], [11]]
    assert max(len(call.content) for call in place.stand_in.called(INSERT)[3:]) <= 2 * one_bytes
    assert len(place.rows()) == 12


def test_a_sender_that_is_started_again_goes_on_after_the_last_batch_that_was_taken(
    place: LogPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esteira.monitoring.bigquery.batches.BATCH_ROWS", 2)
    log = make_log(place)
    for number in range(5):
        log.keep([Exchange(MODEL, number, REQUEST, RESPONSE)])
    place.stand_in.faults.add(Fault(INSERT, "denied", skip=1))
    with pytest.raises(GoogleError):
        place.streamer.send()
    assert place.streamer.send() == 3
    assert sent(place) == [[0, 1], [2, 3], [2, 3], [4]]
    assert place.streamer.send() == 0
    log.keep([Exchange(MODEL, 5, REQUEST, RESPONSE)])
    log.close()
    assert place.streamer.send() == 1
    assert list((place.folder / JOURNAL).iterdir()) == []
    assert [row["release_id"] for row in place.rows()] == ["a" * 12] * 6


def test_what_is_known_of_a_segment_that_is_gone_goes(place: LogPlace) -> None:
    log = make_log(place)
    leftover = place.folder / JOURNAL / "1.journal.sent"
    leftover.write_text("5")
    place.streamer.send()
    assert not leftover.exists()
    log.close()


@pytest.mark.parametrize("status", [400, 413])
def test_a_row_that_bigquery_refuses_for_good_is_found_told_and_left_out(
    place: LogPlace, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    taken = place.stand_in.handlers[INSERT]

    def refusing(call: Call) -> Any:
        if b"poison" in call.content:
            raise Refused(status, "poison: is no good")
        return taken(call)

    place.stand_in.add({INSERT: refusing})
    log = make_log(place)
    for number in range(5):
        log.keep([Exchange(MODEL, number, b'{"instances": ["poison"]}' if number == 3 else REQUEST, RESPONSE)])
    assert place.streamer.send() == 5
    assert sent(place) == [[0, 1, 2, 3, 4], [0, 1], [2, 3, 4], [2], [3, 4], [3], [4]]
    assert [int(row["request_id"]) for row in place.rows()] == [0, 1, 2, 4]
    assert capsys.readouterr().err == f"Not logged: request 3: BigQuery answers {status} to it\n"


def test_only_invalid_rows_are_left_out_and_others_sent_again_alone(
    place: LogPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    reasons = {1: "invalid", 2: "timeout", 4: "backendError"}
    taken = place.stand_in.handlers[INSERT]

    def partly(call: Call) -> Any:
        ids = [int(row["insertId"]) for row in call.body["rows"]]
        errors = [
            {"index": index, "errors": [{"reason": reasons[number], "location": "", "message": "bom dia: is no good"}]}
            for index, number in enumerate(ids)
            if number in reasons
        ]
        rows = [row for row in call.body["rows"] if int(row["insertId"]) not in reasons]
        taken(call._replace(body={**call.body, "rows": rows}))
        return {"kind": "bigquery#tableDataInsertAllResponse", **({"insertErrors": errors} if errors else {})}

    place.stand_in.add({INSERT: partly})
    log, streamer = make_log(place), place.streamer
    for number in range(5):
        log.keep([Exchange(MODEL, number, REQUEST, RESPONSE)])
    with pytest.raises(GoogleError, match="^Google Cloud: BigQuery has not taken some rows: backendError, timeout$"):
        streamer.send()
    log.keep([Exchange(MODEL, 5, REQUEST, RESPONSE)])
    reasons.clear()
    assert streamer.send() == 6
    assert sent(place) == [[0, 1, 2, 3, 4], [2, 4], [5]]
    assert [int(row["request_id"]) for row in place.rows()] == [0, 2, 3, 4, 5]
    assert capsys.readouterr().err == "Not logged: request 1: invalid\n"


def test_a_request_that_cannot_be_read_holds_up_no_other(place: LogPlace, capsys: pytest.CaptureFixture[str]) -> None:
    log = make_log(place)
    log.keep([Exchange(MODEL, 1, REQUEST, RESPONSE)])
    log.close()
    (path,) = list_segments(place.folder / JOURNAL)
    # Of a model that the segment does not describe, as after damage.
    path.write_bytes(b"".join([*frame(REQUEST_FRAME, 7, 1, 2, REQUEST, RESPONSE), path.read_bytes()]))
    assert place.streamer.send() == 2
    assert [int(row["request_id"]) for row in place.rows()] == [1]
    assert capsys.readouterr().err == "Not logged: request 2: cannot be read: KeyError\n"


def test_a_row_that_is_too_large_is_told_and_left_out(
    place: LogPlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("esteira.monitoring.bigquery.batches.ROW_BYTES", 1000)
    log = make_log(place)
    log.keep([Exchange(MODEL, 1, b'{"instances": ["' + b"x" * 1000 + b'"]}', RESPONSE)])
    log.keep([Exchange(MODEL, 2, REQUEST, RESPONSE)])
    place.streamer.send()
    assert capsys.readouterr().err == "Not logged: request 1: has more than 1,000 bytes\n"
    assert [int(row["request_id"]) for row in place.rows()] == [2]


@pytest.fixture
def streamed(place: LogPlace, monkeypatch: pytest.MonkeyPatch) -> StreamedLog:
    """A log whose end has all the time that a busy machine takes: what sends its rows is a process of low priority."""
    for name, value in place.stand_in.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("esteira.monitoring.bigquery.streamed_log.STOP_TIMEOUT_S", PATIENCE_S)
    return StreamedLog(place.folder, Target(TABLE, "demo-project", 100, "hash"))


def wait_for_rows(place: LogPlace, count: int) -> None:
    limit_s = time.monotonic() + PATIENCE_S
    while len(place.rows()) < count:
        waiting = {path.name: path.stat().st_size for path in list_segments(place.folder / JOURNAL)}
        calls = len(place.stand_in.called(INSERT))
        assert time.monotonic() < limit_s, f"{len(place.rows())} rows of {calls} calls; the journal: {waiting}"
        time.sleep(0.1)


@pytest.mark.programs
def test_a_log_is_streamed_while_it_is_written_and_to_its_end(place: LogPlace, streamed: StreamedLog) -> None:
    streamed.keep([Exchange(MODEL, 1, REQUEST, RESPONSE)])
    wait_for_rows(place, 1)
    streamed.keep([Exchange(MODEL, 2, REQUEST, RESPONSE)])
    streamed.close()
    assert [int(row["request_id"]) for row in place.rows()] == [1, 2]
    texts = "".join(row["request_payload"][0] for row in place.rows())
    assert "bom dia" not in texts and texts.count("sha256:") == 2


@pytest.mark.programs
@pytest.mark.parametrize("is_asked_again", [True, False])
def test_what_sends_and_is_killed_is_started_again(
    place: LogPlace,
    streamed: StreamedLog,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    is_asked_again: bool,
) -> None:
    monkeypatch.setattr("esteira.monitoring.bigquery.streamed_log.LOOK_S", 0.0)
    streamed.process.kill()
    streamed.process.wait()
    if is_asked_again:
        streamed.keep([Exchange(MODEL, 1, REQUEST, RESPONSE)])
        wait_for_rows(place, 1)
    else:
        monkeypatch.setattr("esteira.monitoring.bigquery.streamed_log.LOOK_S", PATIENCE_S)
        streamed.keep([Exchange(MODEL, 1, REQUEST, RESPONSE)])
    streamed.close()
    assert [int(row["request_id"]) for row in place.rows()] == [1]
    assert capfd.readouterr().err == "What sends requests to BigQuery has ended: status -9\n"


@pytest.mark.programs
def test_what_is_not_sent_at_the_end_is_told(
    place: LogPlace, streamed: StreamedLog, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("esteira.monitoring.bigquery.streamed_log.STOP_TIMEOUT_S", 1.0)
    streamed.process.send_signal(signal.SIGSTOP)
    streamed.keep([Exchange(MODEL, 1, REQUEST, RESPONSE)])
    (segment,) = list_segments(place.folder / JOURNAL)
    size = segment.stat().st_size
    streamed.close()
    told = f"Not logged: up to {size:,} bytes of requests, which were not sent to BigQuery at the end\n"
    assert capfd.readouterr().err == told


def test_an_error_that_nobody_has_thought_of_is_told_by_its_name_and_tried_again(
    place: LogPlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("esteira.monitoring.bigquery.streamer.LOOK_S", 0.01)
    monkeypatch.setattr("esteira.monitoring.bigquery.streamer.REFUSED_S", 0.01)
    ours, theirs = socket.socketpair()
    calls: List[int] = []

    def insert(rows: Sequence[Identified]) -> Answer:
        calls.append(len(rows))
        if len(calls) == 1:
            raise RuntimeError("bom dia")
        ours.close()
        return Answer([], [], "")

    make_log(place).keep([Exchange(MODEL, 1, REQUEST, RESPONSE)])
    with theirs:
        stream_until_closed(Streamer(place.folder / JOURNAL, insert), theirs)
    assert (calls, capsys.readouterr().err) == ([1, 1], "Requests wait to be logged: RuntimeError\n")


@pytest.mark.programs
def test_requests_are_kept_while_nothing_can_be_started(
    place: LogPlace, streamed: StreamedLog, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("esteira.monitoring.bigquery.streamed_log.LOOK_S", 0.0)
    streamed.process.kill()
    streamed.process.wait()
    with monkeypatch.context() as context:
        context.setattr("esteira.monitoring.bigquery.streamed_log.start_streamer", failing)
        # The second one comes before it is tried again.
        streamed.keep([Exchange(MODEL, 1, REQUEST, RESPONSE)])
        streamed.keep([Exchange(MODEL, 2, REQUEST, RESPONSE)])
    ended = "What sends requests to BigQuery has ended: status -9\n"
    told = f"{ended}What sends requests to BigQuery cannot be started: Cannot allocate memory\n"
    assert capfd.readouterr().err == told
    streamed.close()
    assert [int(row["request_id"]) for row in place.rows()] == [1, 2]
    assert capfd.readouterr().err == ended


def failing(journal: Path, target: Target, parent: Any) -> "subprocess.Popen[bytes]":
    raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))


@pytest.mark.programs
def test_what_waits_on_the_disk_is_bounded(place: LogPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esteira.monitoring.bigquery.streamed_log.LOOK_S", 0.0)
    monkeypatch.setattr("esteira.monitoring.bigquery.streamed_log.start_streamer", sleeping)
    log = StreamedLog(place.folder, Target(TABLE, "demo-project", 100, "keep"), most_bytes=300)
    kept = 0
    with pytest.raises(OSError, match="300 bytes wait to be sent to BigQuery"):
        for kept in range(100):
            log.keep([Exchange(MODEL, kept, REQUEST, RESPONSE)])
    assert 0 < kept < 10
    log.close()


def sleeping(journal: Path, target: Target, parent: Any) -> "subprocess.Popen[bytes]":
    """Start what sends nothing, and ends when it is told to."""
    program = "import os, sys; os.read(int(sys.argv[1]), 1)"
    return subprocess.Popen([sys.executable, "-c", program, str(parent.fileno())], pass_fds=[parent.fileno()])

"""make predict: what it reads, what it writes where, and how it ends."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import pytest

from esteira.errors import DataError, InterruptedRunError, ServingError, SettingsError, StateError
from esteira.serving.ask import predict_here
from esteira.serving.asked_rows import EXPECTED
from esteira.serving.opened import serves
from esteira.settings import Settings
from tests.conftest import REPOSITORY
from tests.serving.answering import VERSION, Answering, answering
from tests.serving.small_model import deployed_model

pytestmark = pytest.mark.loopback


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as server:
        yield server


@pytest.fixture
def local(settings: Settings, server: Answering) -> Settings:
    """Settings of an environment that serves the model which the server answers for."""
    deployed_model(settings, VERSION)
    serving = settings.serving.copy(update={"host": "127.0.0.1", "port": server.port})
    return settings.copy(update={"serving": serving})


def run(settings: Settings, typed: str = "", **given: Any) -> Tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        predict(settings, typed, out, err, **given)
    finally:
        run.out, run.err = out.getvalue(), err.getvalue()  # type: ignore[attr-defined]
    return out.getvalue(), err.getvalue()


def predict(
    settings: Settings,
    typed: str,
    out: io.StringIO,
    err: io.StringIO,
    text: Optional[str] = None,
    file: Optional[str] = None,
    format: Optional[str] = None,
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(typed.encode("utf-8", "surrogateescape")))
    predict_here(settings, text, file, format, stdin, out, err)


def rows_of(output: str) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_text_is_answered_as_json_in_a_pipe(local: Settings) -> None:
    output, notes = run(local, text="so good")
    assert rows_of(output) == [
        {
            "text": "so good",
            "prediction": {
                "label": "positive",
                "confidence": 0.75,
                "probabilities": {"negative": 0.25, "positive": 0.75},
            },
            "request_id": "7001",
            "row_number": 0,
            "model_version": VERSION,
            "release_id": None,
        }
    ]
    assert notes == ""


def test_a_text_is_answered_as_a_table_on_a_terminal_and_brackets_are_no_markup(local: Settings) -> None:
    out = Terminal()
    predict(local, "", out, io.StringIO(), text="I said [b] good [/b]")
    header, row = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()
    assert header.split() == ["text", "label", "confidence", "negative", "positive"]
    assert row.split() == ["I", "said", "[b]", "good", "[/b]", "positive", "0.750", "0.250", "0.750"]


def test_the_columns_of_a_csv_are_passed_on_in_its_order(local: Settings) -> None:
    output, notes = run(local, 'id;text;label\n1;"good;\nreally";x\n\n2;bad;y\n', format="csv")
    assert output.splitlines() == [
        "id,text,label,prediction.label,prediction.confidence,prediction.probabilities.negative,"
        "prediction.probabilities.positive,request_id,row_number,model_version,release_id",
        '1,"good;',
        f'really",x,positive,0.75,0.25,0.75,7001,0,{VERSION},',
        f"2,bad,y,negative,0.75,0.75,0.25,7001,1,{VERSION},",
    ]
    assert notes == ""


def test_json_lines_may_be_objects_or_texts(local: Settings) -> None:
    output, _ = run(local, '{"text": "good 🎉", "id": [1]}\n\n"bad"\n')
    assert [(row["text"], row.get("id"), row["prediction"]["label"]) for row in rows_of(output)] == [
        ("good 🎉", [1], "positive"),
        ("bad", None, "negative"),
    ]


def test_a_file_of_a_text_a_line_needs_no_header(local: Settings, tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text('good, is it?\n\n"bad"\r\n', encoding="utf-8")
    output, _ = run(local, file=str(path))
    assert [row["text"] for row in rows_of(output)] == ["good, is it?", '"bad"']


def test_a_column_of_another_name_is_read_as_the_settings_have_it(local: Settings) -> None:
    own = local.copy(update={"data": local.data.copy(update={"text_column": "review"})})
    output, _ = run(own, "review,text\ngood,bad\n")
    assert [row["prediction"]["label"] for row in rows_of(output)] == ["positive"]


def test_each_row_that_cannot_be_asked_about_is_told_and_the_others_are_answered(local: Settings) -> None:
    typed = 'id,text\n1,good\n2\n3,"bad" film\n4,caf\udce9\n5,refuse me\n6,bad\n'
    with pytest.raises(DataError) as told:
        run(local, typed)
    assert str(told.value) == (
        "stdin: 4 rows could not be asked about; 2 are answered.\n"
        "Mend or remove the lines that are named above, then run the command again."
    )
    assert [row["id"] for row in rows_of(run.out)] == ["1", "6"]  # type: ignore[attr-defined]
    assert run.err.splitlines() == [  # type: ignore[attr-defined]
        "stdin:3: has 1 field, expected 2 parted by comma (id, text). Quote or mend the row",
        'stdin:4: a closing quote (") is followed by text; write a quote within quotes twice ("")',
        "stdin:5: is not UTF-8: the byte 0xe9 (if the file is Windows-1252: iconv -f CP1252 -t UTF-8)",
        "stdin:6: is refused with status 400: instances[0].text: refused",
    ]


def test_faults_of_json_lines_are_told(local: Settings) -> None:
    with pytest.raises(DataError):
        run(local, '{"text": "good"}\n{"tex": 1}\n[1]\n{"text": 3}\n{"text"\n')
    assert run.err.splitlines() == [  # type: ignore[attr-defined]
        'stdin:2: has no "text"; its keys are: "tex"',
        'stdin:3: is list in JSON. Expected an object such as {"text": "..."}',
        'stdin:4: its "text" is a number; expected a text in quotes',
        'stdin:5: is no JSON, column 1. Expected an object a line such as {"text": "..."}; of a list: jq -c ".[]"',
    ]


def test_a_text_a_line_is_not_taken_for_a_header(local: Settings, server: Answering) -> None:
    with pytest.raises(DataError) as told:
        run(local, "I love it\nbad\n")
    assert str(told.value) == (
        'stdin: has no column "text". Its first line is taken as the header: "I love it".\n'
        "A text a line, without a header, is read from a file with the ending .txt: make predict FILE=texts.txt\n"
        "Of a column with another name: ESTEIRA_DATA_TEXT_COLUMN=name make predict"
    )
    assert server.instances == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", f"stdin: is empty. {EXPECTED}"),
        ("text\n", "stdin: has no rows. Expected a CSV with a header and rows, or JSON lines."),
        ("text,text\na,b\n", 'stdin: has 2 columns "text". Expected one. Rename the others.'),
    ],
)
def test_an_input_without_use_is_told(local: Settings, typed: str, told: str) -> None:
    with pytest.raises(DataError) as raised:
        run(local, typed)
    assert str(raised.value) == told


@pytest.mark.parametrize(
    ("name", "told"),
    [("none", "no such file"), ("folder", "is a folder"), ("empty.csv", "is empty"), ("pipe", "is no regular file")],
)
def test_a_file_without_use_is_told(local: Settings, tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.csv").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError) as raised:
        run(local, file=str(tmp_path / name))
    assert str(raised.value) == f"FILE={tmp_path / name}: {told}. {EXPECTED}"


def test_what_would_change_the_terminal_is_shown_as_a_mark(local: Settings) -> None:
    texts = ["good\x1b]0;title\x07", "\u202egood", "\x9b2J", "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}"]
    output, _ = run(local, "\n".join(json.dumps({"text": text}) for text in texts), format="table")
    shown = [row.split("  ")[0] for row in output.splitlines()]
    assert shown[1:] == ["good\ufffd]0;title\ufffd", "\ufffdgood", "\ufffd2J", texts[3]]
    with pytest.raises(DataError) as told:
        run(local, "a\x1b[2J,b\n1,2\n")
    assert 'header: "a\ufffd[2J", "b"' in str(told.value)


def test_many_rows_are_answered_in_their_order_over_several_connections(local: Settings, server: Answering) -> None:
    server.pause_s = 0.005
    output, _ = run(local, "n,text\n" + "".join(f"{n},good\n" for n in range(1000)))
    assert [int(row["n"]) for row in rows_of(output)] == list(range(1000))
    # One looks whether the server has the model, one asks what it takes, and four may ask at once.
    assert 3 < len(server.connections) <= 6
    assert max(len(instances) for instances in server.instances) == 64


def test_a_busy_server_is_asked_again(local: Settings, server: Answering) -> None:
    server.refusals = [(429, "0"), (503, "0")]
    output, _ = run(local, text="good")
    assert len(rows_of(output)) == 1


def test_a_failure_on_the_way_says_how_far_the_answers_reach(local: Settings, server: Answering) -> None:
    server.fail_after = 3
    with pytest.raises(ServingError, match=r"answered with status 500: out of memory$"):
        run(local, "text\n" + "good\n" * 640)
    answered = len(rows_of(run.out))  # type: ignore[attr-defined]
    assert answered % 64 == 0
    expected = f"{answered} rows of stdin are answered, up to line {answered + 1}.\n" if answered else None
    assert run.err in (expected, "no row of stdin was answered.\n")  # type: ignore[attr-defined]


def test_an_interrupted_run_says_how_far_the_answers_reach(local: Settings) -> None:
    class Pressed(io.StringIO):
        lines = 0

        def write(self, text: str) -> int:
            self.lines += 1
            if self.lines > 2:
                raise KeyboardInterrupt
            return super().write(text)

    out, err = Pressed(), io.StringIO()
    with pytest.raises(InterruptedRunError) as told:
        predict(local, "text\ngood\nbad\ngood\n", out, err)
    assert str(told.value) == "Interrupted: 2 rows of stdin are answered, up to line 3."
    assert told.value.exit_code == 130
    assert len(rows_of(out.getvalue())) == 2


def test_progress_is_shown_on_a_terminal_alone(local: Settings, server: Answering, monkeypatch: Any) -> None:
    monkeypatch.setattr("esteira.serving.row_progress.EVERY_S", 0.0)
    monkeypatch.setenv("TERM", "xterm-256color")
    err = Terminal()
    predict(local, "text\n" + "good\n" * 3, io.StringIO(), err)
    assert "\r\x1b[K3 rows, " in err.getvalue()
    assert err.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_no_progress_is_shown_on_a_terminal_that_erases_nothing(
    local: Settings, server: Answering, monkeypatch: Any, term: str
) -> None:
    monkeypatch.setattr("esteira.serving.row_progress.EVERY_S", 0.0)
    monkeypatch.setenv("TERM", term)
    err = Terminal()
    predict(local, "text\ngood\n", io.StringIO(), err)
    assert err.getvalue() == ""


def test_a_model_with_other_inputs_is_asked_with_the_columns_that_it_names(local: Settings, server: Answering) -> None:
    server.inputs = {"point": ("DT_FLOAT", 2), "times": ("DT_INT64",)}
    with pytest.raises(DataError):
        run(local, 'id,times,point\n7,3,"[1, 2.5]"\n8,x,"[1, 2]"\n')
    assert server.instances == [[{"point": [1, 2.5], "times": 3}]]
    assert run.err == 'stdin:3: its "times" is "x"; expected a value such as 1\n'  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match='^TEXT: the model takes "point", "times"'):
        run(local, text="good")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"text": "a", "file": "b.csv"}, "TEXT and FILE=b.csv: expected one of them"),
        ({"text": "a", "format": "xml"}, "FORMAT=xml: expected table, json or csv. Run: make predict FORMAT=json"),
    ],
)
def test_what_is_typed_wrongly_is_told(settings: Settings, given: Dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        run(settings, **given)
    assert str(raised.value).startswith(told)


def test_nothing_to_ask_about_on_a_terminal_is_told(settings: Settings) -> None:
    class TerminalIn(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    with pytest.raises(SettingsError) as told:
        predict_here(settings, None, None, None, TerminalIn(io.BytesIO()), io.StringIO(), io.StringIO())
    assert str(told.value) == (
        'TEXT is missing. Expected, for example: make predict TEXT="I love this film"\n'
        "    make predict FILE=texts.csv        (or .jsonl, or .txt with a text a line)\n"
        "    cat texts.csv | make predict"
    )


def test_an_input_that_ends_at_once_is_told_before_anything_is_asked(settings: Settings) -> None:
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO()))  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"^TEXT is missing\."):
        predict_here(settings, None, None, None, stdin, io.StringIO(), io.StringIO())


def test_nothing_deployed_is_told(settings: Settings) -> None:
    with pytest.raises(StateError, match="nothing is deployed yet"):
        run(settings, text="a")


def test_another_program_on_the_port_is_not_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert not serves(url, "sentiment", 1)
    assert not serves(url, "sentiment", 1)


def rows_told(count: int) -> str:
    rows = "1 row" if count == 1 else f"{count:,} rows"
    return f"{rows} of stdin are answered, up to line {count + 1:,}." if count else "no row of stdin was answered."


def started(local: Settings, server: Answering, format: str) -> Any:
    """Start `make predict` as a process of its own."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom esteira.edge import at_the_edge\n"
        "from esteira.serving.ask import predict_here\nfrom esteira.settings import load_settings\n"
        "root, state, port, format = sys.argv[1:]\n"
        "settings = load_settings(Path(root), {'ESTEIRA_STATE': state, 'ESTEIRA_SERVING_PORT': port}, {})\n"
        "at_the_edge(predict_here)(settings, None, None, format, sys.stdin, sys.stdout, sys.stderr)\n"
    )
    command = [sys.executable, "-c", program, str(local.root), str(local.state), str(server.port), format]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=REPOSITORY, encoding="utf-8", **pipes)  # type: ignore[call-overload]


@pytest.mark.programs
@pytest.mark.parametrize("format", ["json", "csv", "table"])
def test_a_reader_that_has_enough_ends_a_real_run_quietly(local: Settings, server: Answering, format: str) -> None:
    with started(local, server, format) as process:
        process.stdin.write("text\n" + "good\n" * 6400)
        process.stdin.close()
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
    assert len(server.instances) < 100


@pytest.mark.programs
def test_ctrl_c_ends_a_real_run_at_once_and_says_how_far_it_came(local: Settings, server: Answering) -> None:
    server.pause_s = 0.05
    with started(local, server, "json") as process:
        process.stdin.write("text\n" + "good\n" * 6400)
        process.stdin.close()
        assert json.loads(process.stdout.readline())["row_number"] == 0
        process.send_signal(signal.SIGINT)
        lines, told = process.stdout.readlines(), process.stderr.read()
    assert process.returncode == 130
    # The row that was being written may be there and not counted.
    counts = (len(lines), len(lines) + 1)
    assert told in [f"Interrupted: {rows_told(count)}\n" for count in counts]
    assert all(json.loads(line)["prediction"]["label"] == "positive" for line in lines)

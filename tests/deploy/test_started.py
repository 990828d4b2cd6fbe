"""That a test which waits for a program ends, and says what it had seen."""

import subprocess
import sys

import pytest

from tests.deploy.started import Started

pytestmark = pytest.mark.programs


def python(program: str, patience_s: float = 60) -> Started:
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, encoding="utf-8")
    return Started(process, patience_s)


def test_lines_come_as_they_are_printed_and_all_of_them_at_the_end() -> None:
    with python("import time; print('one', flush=True); time.sleep(600)") as started:
        assert started.told("on") == "one\n"
        started.interrupt()
        code, text = started.ended()
    assert (code, text) == (-2, "one\n")


def test_a_line_that_does_not_come_is_not_awaited_for_ever() -> None:
    with python("import time; print('other', flush=True); time.sleep(600)", 2) as started:
        with pytest.raises(AssertionError, match='waited 2 s for a line "this…"; what came:\n'):
            started.told("this")
        with pytest.raises(AssertionError, match="waited 2 s for the end; what came:\nother\n"):
            started.ended()


def test_a_program_that_ends_without_the_line_ends_the_wait() -> None:
    with python("print('other')") as started, pytest.raises(AssertionError, match='no line "this…" came'):
        started.told("this")

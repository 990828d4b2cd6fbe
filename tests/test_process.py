import sys
from pathlib import Path

import pytest

from esteira.errors import ProgramError
from esteira.process import quote_command, run_program

pytestmark = pytest.mark.programs


def test_output_is_returned_and_input_given() -> None:
    assert run_program([sys.executable, "-c", "print(input()[::-1])"], input_text="abc") == "cba\n"


def test_a_failure_tells_command_status_and_the_end_of_its_output() -> None:
    script = "import sys; [print(i, file=sys.stderr) for i in range(50)]; sys.exit(3)"
    with pytest.raises(ProgramError) as caught:
        run_program([sys.executable, "-c", script])
    lines = str(caught.value).splitlines()
    assert lines[0] == quote_command([sys.executable, "-c", script])
    assert lines[1] == "left with status 3:"
    assert lines[2:] == [str(i) for i in range(30, 50)]


def test_a_missing_program_is_named_with_how_to_get_it() -> None:
    with pytest.raises(ProgramError, match="no-such-program: no such program on the PATH.\nInstall it with care"):
        run_program(["no-such-program"], install_hint="Install it with care")


def test_a_program_that_may_not_be_run_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "locked-program").write_text("#!/bin/sh\n")
    with pytest.raises(ProgramError) as caught:
        run_program(["locked-program"], env={"PATH": str(tmp_path)})
    assert str(caught.value) == (
        "locked-program: no such program on the PATH that this user may run.\nInstall locked-program and try again."
    )


def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ProgramError, match=r"took longer than 0.2 s\."):
        run_program([sys.executable, "-c", "import time; time.sleep(60)"], timeout_s=0.2)


def test_a_command_is_quoted_as_typed() -> None:
    assert quote_command(["echo", "two words", "it's"]) == """echo 'two words' 'it'"'"'s'"""

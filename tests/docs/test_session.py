import os
from pathlib import Path

import pytest

from tests.docs.session import Session

pytestmark = pytest.mark.programs


def test_a_command_is_told_with_its_status_and_all_that_it_wrote(tmp_path: Path) -> None:
    with Session(tmp_path, os.environ) as session:
        assert session.type("echo out; echo err >&2   # both") == (0, "out\nerr\n")
        assert session.type("printf unended") == (0, "unended")
        assert session.type("false   # ends with exit code 1") == (1, "")
        assert session.type("cat") == (0, "")


def test_the_folder_and_variables_stay_for_the_next_command(tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    with Session(tmp_path, os.environ) as session:
        session.type("cd 'a folder'; said=so")
        assert session.type('echo "$said"; pwd') == (0, f"so\n{tmp_path / 'a folder'}\n")


def test_what_serves_runs_until_the_next_does_or_the_session_ends(tmp_path: Path) -> None:
    server = "trap 'echo ended >> ends; exit' INT; echo ready; while :; do sleep 0.1; done"
    with Session(tmp_path, os.environ) as session:
        assert session.serve(server, "ready") == "ready\n"
        session.serve(server, "ready")
        assert session.type("cat ends") == (0, "ended\n")
    assert (tmp_path / "ends").read_text(encoding="utf-8") == "ended\nended\n"

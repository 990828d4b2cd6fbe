"""What make doctor finds here, and how it tells what is missing."""

import io
from pathlib import Path
from typing import Callable

import pytest
from rich.console import Console

from esteira.cloud.front import doctor
from esteira.doctor.examine import examine_local
from esteira.errors import StateError
from esteira.settings import Settings

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


def test_all_that_a_deploy_here_needs_is_looked_at(settings: Settings) -> None:
    found = examine_local(settings, {"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "PIP_NO_INDEX": "1"})
    first, last = ["system", "Python", "git", "clone"], ["port", "containers", "gcloud"]
    names = [finding.name for finding in found]
    assert names[:4] == first and names[-3:] == last
    between = ["environment", "wheels", "data", "package index", "disk", "memory", "clock", "texts", "state"]
    assert [name for name in names if name not in {*first, *last, "history", "submodule"}] == between


def test_what_is_missing_is_an_error_and_what_can_be_done_without_is_none(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PIP_NO_INDEX": "1"}
    shown = io.StringIO()
    with pytest.raises(StateError) as error:
        doctor(make_settings(data__file="none.csv"), environ, Console(file=shown, width=300))
    assert str(error.value) == ("2 checks have failed. Mend what the table says, then run: make doctor ENV=local")
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert (
        "✗ data none.csv cannot be read Expected the path of a CSV, from the repository's top, as data.file or "
        "DATA=file.csv"
    ) in lines
    assert (
        "✗ package index pip gets no answer from it What is not here yet has to come from it. Check the network and "
        "HTTPS_PROXY, or set PIP_INDEX_URL. See: python -m pip config list"
    ) in lines

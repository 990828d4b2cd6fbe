import os
import subprocess

import pytest

from esteira.deploy.record import begin_record, read_record, record_path, recorded
from esteira.errors import StateError
from esteira.settings import Settings


def test_a_deploy_that_failed_is_kept_with_its_error(settings: Settings) -> None:
    assert read_record(settings) is None
    with pytest.raises(StateError), recorded(settings, "make deploy", os.getpid()):
        running = read_record(settings)
        assert running and running.is_running
        raise StateError("the disk is full")
    record = read_record(settings)
    assert record and (record.what, record.state, record.error) == ("make deploy", "failed", "the disk is full")
    assert record.exit_code == StateError.exit_code and not record.is_running


def test_a_deploy_that_ended_well_or_was_interrupted_says_so(settings: Settings) -> None:
    with recorded(settings, "make deploy", os.getpid()):
        pass
    record = read_record(settings)
    assert record and record.state == "succeeded" and record.finished >= record.started
    with pytest.raises(KeyboardInterrupt), recorded(settings, "make deploy", os.getpid()):
        raise KeyboardInterrupt
    record = read_record(settings)
    assert record and record.state == "interrupted"


@pytest.mark.programs
def test_a_killed_process_runs_no_more(settings: Settings) -> None:
    process = subprocess.Popen(["sleep", "600"])
    begin_record(settings, "make deploy", process.pid)
    record = read_record(settings)
    assert record and record.is_running
    process.kill()
    process.wait()
    assert not record.is_running


@pytest.mark.parametrize("content", ['{"when": 1}', "{", "[]"])
def test_a_record_that_cannot_be_read_counts_as_none(settings: Settings, content: str) -> None:
    settings.state.mkdir()
    record_path(settings).write_text(content)
    assert read_record(settings) is None

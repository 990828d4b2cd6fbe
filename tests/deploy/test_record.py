import pytest

from esteira.deploy.record import FILE, read_record, recorded
from esteira.errors import StateError
from esteira.settings import Settings


def test_a_deploy_that_failed_is_kept_with_its_error(settings: Settings) -> None:
    assert read_record(settings) is None
    with pytest.raises(StateError), recorded(settings, "make deploy"):
        running = read_record(settings)
        assert running and running.state == "running"
        raise StateError("the disk is full")
    record = read_record(settings)
    assert record and (record.what, record.state, record.error) == ("make deploy", "failed", "the disk is full")


def test_a_deploy_that_ended_well_or_was_interrupted_says_so(settings: Settings) -> None:
    with recorded(settings, "make deploy"):
        pass
    record = read_record(settings)
    assert record and record.state == "succeeded" and record.finished >= record.started
    with pytest.raises(KeyboardInterrupt), recorded(settings, "make deploy"):
        raise KeyboardInterrupt
    record = read_record(settings)
    assert record and record.state == "interrupted"


def test_a_record_of_another_version_counts_as_none(settings: Settings) -> None:
    settings.state.mkdir()
    (settings.state / FILE).write_text('{"when": 1}')
    assert read_record(settings) is None

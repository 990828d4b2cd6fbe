"""The log as `make serve` has it."""

import pytest

from esteira.monitoring.warehouse.database import open_warehouse
from esteira.monitoring.warehouse.open_log import LoadedLog
from esteira.serving.answer_log import Exchange
from esteira.settings import Settings
from tests.monitoring.logged import DEPLOYED, rows_of


@pytest.mark.programs
def test_a_log_is_loaded_by_whoever_opens_the_warehouse_whether_its_loader_has_or_not(settings: Settings) -> None:
    log = LoadedLog(settings)
    log.keep([Exchange(DEPLOYED, 1, b'{"instances": ["a"]}', b'{"predictions": [1]}')])
    with open_warehouse(settings) as warehouse:
        assert [row["request_id"] for row in rows_of(warehouse)] == [1]
    log.keep([Exchange(DEPLOYED, 2, b'{"instances": ["b"]}', b'{"predictions": [2]}')])
    log.close()
    with open_warehouse(settings) as warehouse:
        assert [row["request_id"] for row in rows_of(warehouse)] == [1, 2]

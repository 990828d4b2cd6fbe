from typing import Callable

import pytest

from esteira.errors import SettingsError
from esteira.monitoring.views import TABLES, VIEWS
from esteira.settings import Settings
from esteira.settings.serving import OWN_TABLES


@pytest.mark.parametrize("table", ["esteira.request_log", "esteira.daily", "Esteira.Ground_Truth"])
def test_the_table_of_ai_platforms_rows_is_none_of_the_request_log(
    make_settings: Callable[..., Settings], table: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        make_settings(log__ai_platform=table)
    assert str(caught.value).endswith(
        f'log.ai_platform: is "{table}", which is of the request log itself; expected a table of another name'
    )


@pytest.mark.parametrize("table", ["", "esteira.ai_platform_log", "legacy.request_log"])
def test_a_table_of_another_name_or_dataset_is_taken(make_settings: Callable[..., Settings], table: str) -> None:
    assert make_settings(log__ai_platform=table).log.ai_platform == table


def test_the_request_logs_own_tables_are_those_that_are_made() -> None:
    assert {*TABLES, *VIEWS} == OWN_TABLES

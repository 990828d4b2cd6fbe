from pathlib import Path
from typing import Iterator

import pytest
import sqlglot

from esteira.errors import WarehouseError
from esteira.monitoring.views import (
    FOLDER,
    VIEWS,
    make_views,
    place_of,
    read_signature,
    render,
    render_view,
    scanned_by_view,
)
from esteira.monitoring.warehouse.database import Place, Warehouse, open_place
from esteira.settings import Settings
from tests.conftest import REPOSITORY


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_place(Place(tmp_path / "warehouse", REPOSITORY)) as opened:
        yield opened


def test_every_template_makes_one_statement_of_bigquerys() -> None:
    for template in FOLDER.glob("*.sql.j2"):
        name = template.name.split(".")[0]
        views = [render_view(name, "my-project.esteira", [], [], ai) for ai in ("", "my-project.old.log")]
        for sql in views if name in VIEWS else [render(name, "my-project.esteira")]:
            assert len(sqlglot.parse(sql, dialect="bigquery", error_level=sqlglot.ErrorLevel.RAISE)) == 1
            assert sql.startswith("-- Purpose: ")
            assert "-- Parameters: " in sql
            assert "-- Result: " in sql


def test_views_are_made_on_this_machine(warehouse: Warehouse, settings: Settings) -> None:
    assert make_views(warehouse, settings) == ["esteira.requests", "esteira.daily", "esteira.accuracy"]
    assert warehouse.columns("requests") == [
        *("request_id", "row_number", "time", "endpoint", "deployed_model_id", "model_version", "release_id"),
        *("text", "label", "confidence", "probabilities", "label_true", "error"),
    ]
    assert scanned_by_view(warehouse, 30) == {}


def test_without_its_tables_no_view_can_be_made(warehouse: Warehouse, settings: Settings) -> None:
    warehouse.run("drop", "DROP TABLE esteira.ground_truth")
    with pytest.raises(WarehouseError) as caught:
        make_views(warehouse, settings)
    assert str(caught.value) == (
        "esteira: has no table ground_truth, which the views read.\n"
        "Expected the tables of the request log. Run: make deploy-full"
    )


def test_ai_platforms_table_lies_in_the_project_of_the_data_set() -> None:
    assert place_of("my-project.esteira", "old.log") == "my-project.old.log"
    assert place_of("esteira", "old.log") == "old.log"
    assert place_of("my-project.esteira", "") == ""


@pytest.mark.parametrize("name", ["a`b", "a b", "", "esteira; DROP"])
def test_a_name_that_is_none_is_not_rendered(name: str) -> None:
    with pytest.raises(WarehouseError, match="is no name of a data set or table"):
        render("models", name)


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"inputs": [1], "outputs": []}', '{"inputs": 1}'])
def test_a_signature_that_cannot_be_read_is_empty(text: str) -> None:
    assert read_signature(text) == ((), ())


def test_the_same_models_give_the_same_text() -> None:
    assert render_view("requests", "esteira", []) == render_view("requests", "esteira", [])

import json
from pathlib import Path

import pytest

from esteira.errors import TemplateError
from esteira.monitoring.forms import FORMS
from esteira.monitoring.views import UNSURE, VIEWS
from esteira.reference.log_tables import tables_page
from esteira.reference.pages import render_page
from tests.conftest import REPOSITORY
from tests.reference.conftest import replace


def test_every_table_view_query_and_column_is_there() -> None:
    text = render_page("tables.md", REPOSITORY)
    for path in (REPOSITORY / "sql").glob("*.json"):
        assert f"\n### {path.stem}\n" in text
        for column in json.loads(path.read_text()):
            assert f"\n| `{column['name']}` | {column['type']} | {column['mode'].lower()} |" in text
    for path in (REPOSITORY / "sql").glob("*.sql.j2"):
        name = path.name.partition(".")[0]
        assert (f"\n### {name}\n" if name in VIEWS else f"\n| [`{name}`]") in text
    assert "{{" not in text and f"below {UNSURE})" in text


def test_tables_are_told_in_the_order_in_which_they_are_made() -> None:
    assert list(tables_page(REPOSITORY)["tables"]) == [*FORMS, "ai_platform_log"]


def test_columns_of_a_view_are_told_one_by_one() -> None:
    columns = tables_page(REPOSITORY)["views"]["daily"]["columns"]
    assert columns[:2] == ["day DATE, in UTC", "release_id, model_version STRING"]


def test_a_column_or_query_without_words_is_told_with_what_to_write_where(root: Path) -> None:
    replace(root / "sql" / "ground_truth.json", '"What it is in truth"', '""')
    replace(root / "sql" / "models.sql.j2", "-- Parameters: none.\n", "")
    (root / "sql" / "more.json").write_text("[]")
    with pytest.raises(TemplateError) as error:
        tables_page(root)
    assert str(error.value) == (
        'sql/ground_truth.json: label: has no description. Expected "description": "what it holds"\n'
        "sql/more.json: has no description. Expected what it is for, in FORMS of esteira/monitoring/forms.py\n"
        "sql/models.sql.j2: has no description. Expected a line that begins with -- Parameters:\n"
        "Write it, then run: make generate"
    )

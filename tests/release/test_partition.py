from typing import List

import pytest

from esteira.release.manifest import PARTS
from esteira.release.partition import PARTITION, files_of, is_above, values_of


def parts_of(path: str, default_data: bool = True) -> List[str]:
    return [part for part in PARTITION if files_of(part, {path: ""}, default_data=default_data)]


def test_every_part_of_a_release_has_its_rule() -> None:
    assert tuple(PARTITION) == PARTS


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("esteira/edge.py", ["image", "job"]),
        ("esteira/data/deep/rows.py", ["image", "job", "data"]),
        ("pipeline/schema.pbtxt", ["image", "job", "data"]),
        ("pipeline/.env", []),
        ("pipeline/x.py~", []),
        ("pipeline/x.pyc", []),
        ("pipeline/__pycache__/x.pyc", []),
        ("pipeline/deep/.env", []),
        ("pipeline/deep/.hidden/x.py", []),
        ("pipeline/deep/__pycache__/x", []),
        ("pipeline/not.hidden", ["image", "job"]),
        ("esteira/.env", []),
        ("esteira/data/.env", []),
        ("esteira/data/__pycache__/rows.pyc", []),
        ("esteira/jobs/bundle.py~", []),
        ("docker/runtime.toml", ["image"]),
        ("docker/.runtime.toml.swp", []),
        ("docker/runtime.toml~", []),
        ("requirements.lock", ["image", "job"]),
        ("requirements.in", []),
        ("modules/model.py", ["modules"]),
        ("modules/line\nbreak", ["modules"]),
        ("modules/.hidden", []),
        ("modules/deep/.hidden", []),
        ("modules/.hidden/model.py", []),
        ("modules/deep/.hidden/model.py", []),
        ("modules/deep/model.py~", []),
        ("modules/deep/model.pyc", []),
        ("modules/__pycache__/model", []),
        ("modules/deep/__pycache__/model", []),
        ("modules/best_hyperparameters", ["modules"]),
        ("modules/deep/best_hyperparameters/units.py", ["modules"]),
        ("modules/deep/dataset.txt", ["modules"]),
        ("modules/create_dataset.py", ["data"]),
        ("modules/best_hyperparameters/best.txt", ["hyperparameters"]),
        ("cloudbuild/steps.j2", ["settings"]),
        ("cloudbuild/full.yaml", []),
        ("cloudbuild/deep/steps.j2", []),
        ("tasks.py", ["settings"]),
        ("tasks_py", []),
        ("old/modules/model.py", []),
        ("tests/test_edge.py", []),
        (".github/workflows/deploy.yaml", ["settings"]),
    ],
)
def test_a_file_belongs_to_the_parts_that_depend_on_it(path: str, parts: List[str]) -> None:
    assert parts_of(path) == parts


def test_what_makes_the_default_data_is_of_no_part_where_another_csv_is_trained_on() -> None:
    assert parts_of("modules/dataset.txt", default_data=False) == []
    assert parts_of("modules/create_dataset.py", default_data=False) == []
    assert parts_of("modules/model.py", default_data=False) == ["modules"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("pipeline.name", ["job"]),
        ("training.epochs", ["job"]),
        ("hub_digest", ["job"]),
        ("data.eval_percent", ["data"]),
        ("data.file", []),
        ("csv", ["data"]),
        ("serving.max_batch", ["settings"]),
        ("serving.port", []),
        ("environment.region", ["settings"]),
        ("environment.github", []),
        ("environment.github_owner_id", []),
        ("environment.github_ref", []),
    ],
)
def test_a_value_belongs_to_the_parts_that_depend_on_it(name: str, parts: List[str]) -> None:
    assert [part for part in PARTITION if values_of(part, {name: 1}, default_data=False)] == parts


@pytest.mark.parametrize("column", ["text_column", "label_column", "source_column"])
def test_columns_count_only_where_a_csv_is_read(column: str) -> None:
    assert values_of("data", {f"data.{column}": "x"}, default_data=False) == {f"data.{column}": "x"}
    assert values_of("data", {f"data.{column}": "x"}, default_data=True) == {}
    assert values_of("data", {"data.eval_percent": 30}, default_data=True) == {"data.eval_percent": 30}


def test_folders_above_a_parts_files_are_known() -> None:
    assert is_above("modules", "modules") and is_above("settings", ".github/workflows")
    assert not is_above("modules", "mod") and not is_above("modules", "pipeline")

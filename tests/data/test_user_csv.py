from pathlib import Path
from typing import Callable

import pytest

from esteira.data.user_csv import find_csv
from esteira.errors import DataError
from esteira.settings import Settings


def test_a_csv_is_looked_for_in_the_repository_in_the_home_and_by_its_path(
    tmp_path: Path, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "my data.csv"
    path.write_text("text,label\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("my data.csv", "~/my data.csv", str(path)):
        assert find_csv(make_settings(tmp_path, data__file=name)) == path
    assert find_csv(make_settings(tmp_path)) is None


def test_a_folder_is_called_one(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    (tmp_path / "modules").mkdir()
    with pytest.raises(DataError) as caught:
        find_csv(make_settings(tmp_path, data__file="modules"))
    assert str(caught.value) == "data.file: modules: is a folder. Expected the path of a CSV, as in DATA=file.csv"


def test_a_missing_csv_is_told(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    for name in ("none.csv", "~nobody$here.csv"):
        with pytest.raises(DataError) as caught:
            find_csv(make_settings(tmp_path, data__file=name))
        assert str(caught.value) == (
            f"data.file: {name}: no such file. Expected the path of a CSV, as in DATA=file.csv"
        )

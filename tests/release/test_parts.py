import shutil
from pathlib import Path
from typing import Callable

import pytest

from esteira.errors import StateError
from esteira.release.parts import image_part, lay_parts, read_parts, write_parts
from esteira.settings import Settings
from tests.conftest import REPOSITORY

DIGEST_LENGTH = len("sha256:") + 64


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("modules", "pipeline", "esteira"):
        shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "requirements.lock", root)
    return root


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data" / "train").mkdir(parents=True)
    (tmp_path / "data" / "train" / "train.csv").write_text("text,label,source\n")
    return tmp_path / "data"


def test_each_part_lies_under_its_content(
    root: Path, data: Path, make_settings: Callable[..., Settings]
) -> None:
    parts = lay_parts(make_settings(root), data)
    assert sorted(parts) == ["data", "hyperparameters", "modules"]
    for part in parts.values():
        assert len(part.digest) == DIGEST_LENGTH
        assert Path(part.uri).name == part.digest.split(":")[1]
    assert Path(parts["data"].uri, "train", "train.csv").is_file()
    assert Path(parts["modules"].uri, "modules.py").is_file()
    assert len(list(Path(parts["hyperparameters"].uri).iterdir())) == 1


def test_a_changed_module_changes_that_part_alone(
    root: Path, data: Path, make_settings: Callable[..., Settings]
) -> None:
    before = lay_parts(make_settings(root), data)
    with (root / "modules" / "features.py").open("a") as stream:
        stream.write("\n# changed\n")
    after = lay_parts(make_settings(root), data)
    assert {name for name in before if before[name] != after[name]} == {"modules"}
    assert Path(before["modules"].uri, "modules.py").is_file()


def test_a_second_hyperparameter_file_is_refused(
    root: Path, data: Path, make_settings: Callable[..., Settings]
) -> None:
    (root / "modules" / "best_hyperparameters" / "old.txt").write_text("{}")
    with pytest.raises(StateError, match="best_hyperparameters: expected exactly one file. Run: make tune"):
        lay_parts(make_settings(root), data)


def test_missing_data_says_what_to_run(
    root: Path, tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    with pytest.raises(StateError, match="no prepared data. Run: .venv/bin/inv data"):
        lay_parts(make_settings(root), tmp_path / "none")


def test_the_image_follows_pipeline_engine_and_lock(root: Path) -> None:
    digests = {image_part(root).digest}
    for name in ("pipeline/pipeline.py", "esteira/errors.py", "requirements.lock"):
        with (root / name).open("a") as stream:
            stream.write("\n# changed\n")
        digests.add(image_part(root).digest)
    (root / "modules" / "features.py").write_text("")
    digests.add(image_part(root).digest)
    assert len(digests) == 4


def test_parts_survive_their_file(root: Path, data: Path, make_settings: Callable[..., Settings]) -> None:
    parts = lay_parts(make_settings(root), data)
    write_parts(root / "parts.json", parts)
    assert read_parts(root / "parts.json") == parts
    with pytest.raises(StateError, match="none.json: no such file. Run: .venv/bin/inv sync"):
        read_parts(root / "none.json")

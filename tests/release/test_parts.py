import shutil
from pathlib import Path

import pytest

from esteira.errors import StateError
from esteira.release.parts import lay_data, lay_hyperparameters, lay_modules, read_parts, write_parts
from esteira.release.store.folder import FolderStore
from tests.conftest import REPOSITORY

DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    folder = tmp_path / "modules"
    shutil.copytree(REPOSITORY / "modules", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "bucket")


def test_a_part_lies_under_the_digest_of_its_content(modules: Path, store: FolderStore) -> None:
    part = lay_modules(store, DIGEST, modules)
    assert part.digest == DIGEST
    assert part.uri == f"{store.uri}/modules/{part.content.split(':')[1]}"
    assert [path.name for path in Path(part.uri).iterdir()] == ["modules.py"]


def test_a_changed_module_gets_a_place_of_its_own_and_the_old_one_stays(modules: Path, store: FolderStore) -> None:
    before = lay_modules(store, DIGEST, modules)
    with (modules / "features.py").open("a") as stream:
        stream.write("\n# changed\n")
    after = lay_modules(store, DIGEST, modules)
    assert before.uri != after.uri
    assert Path(before.uri, "modules.py").is_file()


def test_a_second_hyperparameter_file_is_refused(modules: Path, store: FolderStore) -> None:
    assert len(list(Path(lay_hyperparameters(store, DIGEST, modules).uri).iterdir())) == 1
    (modules / "best_hyperparameters" / "old.txt").write_text("{}")
    with pytest.raises(StateError, match="best_hyperparameters: expected exactly one file. Run: make tune"):
        lay_hyperparameters(store, DIGEST, modules)


def test_missing_data_says_what_to_run(tmp_path: Path, store: FolderStore) -> None:
    with pytest.raises(StateError, match="no prepared data. Run: .venv/bin/inv data"):
        lay_data(store, DIGEST, tmp_path / "none")


def test_parts_survive_their_file(modules: Path, store: FolderStore, tmp_path: Path) -> None:
    parts = {"modules": lay_modules(store, DIGEST, modules)}
    write_parts(tmp_path / "parts.json", parts)
    assert read_parts(tmp_path / "parts.json", "inv sync") == parts
    with pytest.raises(StateError, match="none.json: no such file. Run: inv sync"):
        read_parts(tmp_path / "none.json", "inv sync")

from pathlib import Path
from typing import Callable, Iterator

import pytest

from esteira.deploy.csv import PLACE, fetch_csv, lay_csv, travels
from esteira.errors import DataError, StateError
from esteira.files import write_bytes
from esteira.release.digest import digest_bytes
from esteira.release.order import Order
from esteira.release.store import Store
from esteira.release.store.folder import FolderStore
from esteira.settings import Settings
from esteira.source import frozen_source
from tests.repositories import make_repository, write

pytestmark = pytest.mark.programs

ROWS = "text,label\nI love it,1\nI hate it,0\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository", {"data.csv": ROWS, ".gitignore": "/private/\n"})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path / "store")


def order(text: str = ROWS) -> Order:
    known = {"kind": "full", "reason": "", "by": "ml@laptop", "at": "2026-11-22T10:00:01Z", "parent": None}
    return Order(
        **{**known, "generation": 0, "commit": "", "dirty": False, "parts": {}, "csv": digest_bytes(text.encode())}
    )


def does_travel(settings: Settings) -> bool:
    with frozen_source(settings.root, settings.state, str(settings.root / settings.data.file)) as source:
        return travels(settings, source)


def uploads(store: Store) -> Iterator[str]:
    return (entry.name for entry in store.list("sources"))


def test_a_csv_that_the_commit_has_travels_with_the_source(root: Path, make_settings: Callable[..., Settings]) -> None:
    assert not does_travel(make_settings(root, data__file="data.csv"))
    assert not does_travel(make_settings(root))


def test_a_csv_that_git_ignores_or_does_not_know_travels_by_itself(
    root: Path, tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    write(root / "private" / "data.csv", ROWS)
    write(root / "new.csv", ROWS)
    write(tmp_path / "elsewhere.csv", ROWS)
    for name in ("private/data.csv", "new.csv", str(tmp_path / "elsewhere.csv")):
        assert does_travel(make_settings(root, data__file=name))


def test_a_csv_that_was_changed_after_the_commit_travels_by_itself(
    root: Path, make_settings: Callable[..., Settings]
) -> None:
    write(root / "data.csv", ROWS + "Quite so,1\n")
    assert does_travel(make_settings(root, data__file="data.csv"))


def test_a_csv_is_laid_down_once_under_its_digest_and_found_by_the_step(
    root: Path, tmp_path: Path, store: Store, make_settings: Callable[..., Settings]
) -> None:
    write(root / "private" / "data.csv", ROWS)
    settings = make_settings(root, data__file="private/data.csv")
    name = f"sources/csv/{order().csv[len('sha256:') :]}/data.csv"
    for _ in range(2):
        lay_csv(settings, store, order())
        assert list(uploads(store)) == [name]
    step = make_settings(tmp_path / "workspace", data__file=PLACE)
    fetch_csv(step, store, order())
    assert (tmp_path / "workspace" / PLACE).read_text() == ROWS


def test_a_step_fetches_no_csv_that_is_there_or_that_is_none_of_a_deploys(
    root: Path, store: Store, make_settings: Callable[..., Settings]
) -> None:
    fetch_csv(make_settings(root, data__file="data.csv"), store, order())
    fetch_csv(make_settings(root), store, order())
    write_bytes(root / PLACE, b"here")
    fetch_csv(make_settings(root, data__file=PLACE), store, order())
    assert (root / PLACE).read_bytes() == b"here"


def test_a_csv_that_was_changed_after_the_plan_is_not_laid_down(
    root: Path, store: Store, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(root, data__file="data.csv")
    with pytest.raises(DataError) as caught:
        lay_csv(settings, store, order("other"))
    assert str(caught.value) == f"{root}/data.csv: was changed after the deploy began. Run the command again."
    assert list(uploads(store)) == []


def test_a_csv_that_is_lost_or_damaged_is_told_and_laid_down_again(
    root: Path, tmp_path: Path, store: Store, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(root, data__file="data.csv")
    step = make_settings(tmp_path / "workspace", data__file=PLACE)
    name = f"sources/csv/{order().csv[len('sha256:') :]}/data.csv"
    told = f"{store.uri}/{name}: is lost or damaged. Run the deploy again."
    store.write(name, b"damaged")
    with pytest.raises(DataError) as caught:
        fetch_csv(step, store, order())
    assert str(caught.value) == told
    with pytest.raises(StateError, match=f"Run: rm {tmp_path}/store/{name}    Then run the command again."):
        lay_csv(settings, store, order())
    store.delete([name])
    with pytest.raises(DataError) as caught:
        fetch_csv(step, store, order())
    assert str(caught.value) == told
    lay_csv(settings, store, order())
    fetch_csv(step, store, order())
    assert (tmp_path / "workspace" / PLACE).read_text() == ROWS

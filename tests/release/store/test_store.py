"""What every store does: each test runs on a folder and on a bucket."""

import os
import signal
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from esteira.errors import StateError
from esteira.release.store import Store, open_store
from esteira.release.store.content import CHUNK_BYTES
from esteira.release.store.interface import ABSENT, ConflictError, Entry
from esteira.settings import Settings
from tests.release.other_process import finish, start


@pytest.fixture
def make_files(tmp_path: Path) -> Callable[..., List["tuple[str, Path]"]]:
    """Return a function that writes files by name and returns them as pairs to lay down."""

    def make(files: Dict[str, bytes]) -> List["tuple[str, Path]"]:
        for name, content in files.items():
            (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "files" / name).write_bytes(content)
        return [(name, tmp_path / "files" / name) for name in files]

    return make


def contents(store: Store, prefix: str) -> Dict[str, bytes]:
    found = {entry.name: store.read(entry.name) for entry in store.list(prefix)}
    return {name: stored.content for name, stored in found.items() if stored}


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.read("current") is None
    assert store.list("releases") == []
    store.write("releases/1/release.json", b"{}")
    assert store.read("releases/1") is None
    assert store.read("releases/1/release.json/below") is None


def test_an_object_is_read_at_the_generation_that_its_writer_got(store: Store) -> None:
    generations = []
    for content in (b"one", b"two", b"", b"three"):
        generations.append(store.write("current", content))
        stored = store.read("current")
        assert stored == (content, generations[-1])
    assert generations == sorted(set(generations))


def test_a_write_at_another_generation_changes_nothing(store: Store) -> None:
    first = store.write("current", b"one", if_generation=ABSENT)
    second = store.write("current", b"two", if_generation=first)
    for generation in (first, ABSENT):
        with pytest.raises(ConflictError, match=f"^{store.uri}/current: was changed by somebody else meanwhile"):
            store.write("current", b"three", if_generation=generation)
    with pytest.raises(ConflictError):
        store.write("other", b"one", if_generation=second)
    assert store.read("current") == (b"two", second)
    assert store.read("other") is None


def test_of_processes_that_write_at_once_none_loses_a_change(store: Store) -> None:
    finish([start("count", store, "25") for _ in range(4)])
    stored = store.read("counter")
    assert stored and stored.content == b"100"


def test_of_processes_that_create_an_object_one_wins(store: Store) -> None:
    words = finish([start("create", store, str(number)) for number in range(4)])
    assert sorted(words) == ["lost\n"] * 3 + ["won\n"]
    stored = store.read("first")
    assert stored and stored.content == str(words.index("won\n")).encode()


def test_a_part_is_laid_down(store: Store, make_files: Callable[..., List["tuple[str, Path]"]]) -> None:
    files = {"train/train.csv": b"a,b\n", "eval/eval.csv": b"", "the vocabulary é #1?.json": b"{}"}
    store.lay_down("data/0a1b", make_files(files))
    assert contents(store, "data") == {f"data/0a1b/{name}": content for name, content in files.items()}


def test_a_listing_is_sorted_and_of_that_folder_only(store: Store) -> None:
    for name in ("data/2/b", "data/2/a", "data/10/c", "data2/d", "data"):
        if name != "data" or store.uri.startswith("gs://"):
            store.write(name, name.encode())
    assert store.list("data") == [Entry("data/10/c", 9), Entry("data/2/a", 8), Entry("data/2/b", 8)]
    assert Entry("data2/d", 7) in store.list("")


def test_what_lies_there_is_never_changed(store: Store, make_files: Callable[..., List["tuple[str, Path]"]]) -> None:
    files = make_files({"one": b"1", "two": b"2"})
    store.lay_down("data/0a1b", files)
    before = store.read("data/0a1b/one")
    store.lay_down("data/0a1b", files)
    assert store.read("data/0a1b/one") == before


@pytest.mark.parametrize("other", [b"2", b"longer"])
def test_another_content_is_told(
    store: Store, make_files: Callable[..., List["tuple[str, Path]"]], other: bytes
) -> None:
    files = make_files({"one": b"1", "two": b"2"})
    store.lay_down("data/0a1b", files)
    store.write("data/0a1b/one", other)
    with pytest.raises(StateError) as caught:
        store.lay_down("data/0a1b", files)
    program = "gcloud storage rm" if store.uri.startswith("gs://") else "rm"
    place = f"{store.uri}/data/0a1b/one"
    assert str(caught.value) == (
        f"{place}: holds another content than was laid down there: somebody changed it.\n"
        f"Expected what its folder is named by. Run: {program} {place}    Then run the command again."
    )
    store.delete(["data/0a1b/one"])
    store.lay_down("data/0a1b", files)
    assert contents(store, "data/0a1b") == {"data/0a1b/one": b"1", "data/0a1b/two": b"2"}


def test_what_is_missing_is_completed(store: Store, make_files: Callable[..., List["tuple[str, Path]"]]) -> None:
    files = make_files({"one": b"1", "below/two": b"2", "three": b"3"})
    store.lay_down("data/0a1b", files[:1])
    before = store.read("data/0a1b/one")
    store.lay_down("data/0a1b", files)
    assert store.read("data/0a1b/one") == before
    assert sorted(contents(store, "data/0a1b").values()) == [b"1", b"2", b"3"]


def test_a_writer_that_is_killed_leaves_nothing_in_the_way(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a").write_bytes(b"1")
    os.mkfifo(folder / "b")
    writer = start("lay", store, "data/0a1b", str(folder))
    with (folder / "b").open("wb"):  # returns once the writer reads it
        writer.kill()
        writer.communicate()
    assert writer.returncode == -signal.SIGKILL
    (folder / "b").unlink()
    (folder / "b").write_bytes(b"2")
    store.lay_down("data/0a1b", [("a", folder / "a"), ("b", folder / "b")])
    assert contents(store, "") == {"data/0a1b/a": b"1", "data/0a1b/b": b"2"}


def test_processes_that_lay_the_same_part_down_agree(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(20):
        (folder / str(number)).write_bytes(b"%d" % number)
    finish([start("lay", store, "data/0a1b", str(folder)) for _ in range(3)])
    assert contents(store, "") == {f"data/0a1b/{number}": b"%d" % number for number in range(20)}


def test_a_large_file_is_laid_down_in_pieces(store: Store, make_files: Callable[..., List["tuple[str, Path]"]]) -> None:
    content = os.urandom(2 * CHUNK_BYTES + 1)
    files = make_files({"large.csv": content})
    store.lay_down("data/0a1b", files)
    store.lay_down("data/0a1b", files)
    assert contents(store, "data") == {"data/0a1b/large.csv": content}


def test_more_objects_than_a_page_holds(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esteira.release.store.objects.PAGE_OBJECTS", 2)
    (tmp_path / "file").write_bytes(b"x")
    names = [f"{number:03}" for number in range(5)]
    store.lay_down("data/0a1b", [(name, tmp_path / "file") for name in names])
    assert store.list("data") == [Entry(f"data/0a1b/{name}", 1) for name in names]
    store.delete(f"data/0a1b/{name}" for name in names)
    assert store.list("") == []


def test_removing_what_is_not_there_is_no_error(store: Store) -> None:
    store.delete(["data/0a1b/one"])
    store.write("data/0a1b/one", b"1")
    store.write("data/0a1b/two", b"2")
    store.delete(["data/0a1b/one", "data/0a1b/none", "none/at/all", "data/0a1b"])
    assert contents(store, "") == {"data/0a1b/two": b"2"}


@pytest.mark.parametrize(
    "name", ["../other", "/etc/passwd", "a//b", "a/./b", "a/../../b", "", "a\nb", ".new/a", "a/\udcff"]
)
def test_a_name_that_leaves_the_store_is_refused(store: Store, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    calls: List[Callable[[], object]] = [
        lambda: store.read(name),
        lambda: store.write(name, b""),
        lambda: store.delete([name]),
        lambda: store.lay_down("data", [(name, tmp_path / "file")]),
        lambda: store.lay_down(name, [("file", tmp_path / "file")]),
    ]
    for call in calls[: 3 if name == ".new/a" else None]:
        with pytest.raises(StateError, match=r"is no name of an object\. Expected a relative one such as"):
            call()
    assert store.list("") == []


def test_a_file_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StateError, match=f"^{tmp_path / 'none'}: cannot read: No such file or directory"):
        store.lay_down("data/0a1b", [("one", tmp_path / "none")])
    assert store.list("") == []


def test_the_environment_chooses_the_store(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    assert open_store(make_settings()).uri == f"{tmp_path}/state/bucket/sentiment"
    (tmp_path / "esteira.toml").write_text(
        '[environments.prod]\nproject = "my-project"\nregion = "europe-west1"\n'
        'bucket = "my-bucket"\nrepository = "images"\n'
    )
    assert open_store(make_settings(tmp_path, env="prod")).uri == "gs://my-bucket/sentiment"

import json
import resource
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Sequence

import pytest

from esteira.errors import ImageError, StateError
from esteira.images.layers.entry import Entry, file_entry, link_entry
from esteira.images.layers.key import layer_key
from esteira.images.layers.store import LayerStore, given
from esteira.images.layout import Layout
from esteira.release.digest import digest_file

KEY = layer_key({"a": "test"})
ENTRIES = [file_entry("/opt/x", b"x", owner="one 1.0"), file_entry("/opt/y", b"y", owner="one 1.0")]


@contextmanager
def refused() -> Iterator[Sequence[Entry]]:
    raise AssertionError("a layer that is there was made again")
    yield []


@pytest.fixture
def store(tmp_path: Path) -> LayerStore:
    return LayerStore(Layout(tmp_path / "images"))


def test_a_layer_is_made_once_and_found_by_its_key(store: LayerStore) -> None:
    assert store.find(KEY, "a layer") is None
    made = store.make(KEY, "a layer", lambda: given(ENTRIES))
    assert store.find(KEY, "a layer") == made
    assert LayerStore(store.layout).make(KEY, "a layer", refused) == made
    assert digest_file(store.layout.blob(made.digest)) == made.digest
    assert made.size_bytes == store.layout.blob(made.digest).stat().st_size


def test_the_files_of_a_layer_are_told_with_their_packages(store: LayerStore) -> None:
    store.make(KEY, "a layer", lambda: given(ENTRIES))
    assert store.files(KEY) == {entry.path: (entry.mark, "one 1.0") for entry in ENTRIES}


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"name": 1'])
def test_a_damaged_record_makes_the_layer_again(store: LayerStore, content: str) -> None:
    made = store.make(KEY, "a layer", lambda: given(ENTRIES))
    (record,) = (store.layout.folder / "layers").glob("*/layer.json")
    record.write_text(content)
    assert store.find(KEY, "a layer") is None
    assert store.make(KEY, "a layer", lambda: given(ENTRIES)) == made
    assert json.loads(record.read_text())["digest"] == made.digest


def test_a_blob_that_is_cut_off_makes_the_layer_again(store: LayerStore) -> None:
    made = store.make(KEY, "a layer", lambda: given(ENTRIES))
    blob = store.layout.blob(made.digest)
    blob.write_bytes(blob.read_bytes()[:-1])
    assert store.find(KEY, "a layer") is None
    assert store.make(KEY, "a layer", lambda: given(ENTRIES)) == made
    assert digest_file(blob) == made.digest


def test_a_list_of_files_that_is_lost_is_told(store: LayerStore) -> None:
    store.make(KEY, "a layer", lambda: given(ENTRIES))
    (path,) = (store.layout.folder / "layers").glob("*/files.json")
    path.unlink()
    with pytest.raises(StateError) as caught:
        store.files(KEY)
    assert str(caught.value) == f"{path}: is lost or damaged. Remove {path.parent} and run: make images"


def test_layers_that_were_found_to_fit_are_known_in_any_order(store: LayerStore) -> None:
    keys = [KEY, layer_key({"another": "test"})]
    store.layout.folder.mkdir()
    assert not store.is_checked(keys)
    store.keep_checked(keys)
    assert store.is_checked(keys[::-1])
    assert not store.is_checked(keys[:1])


def test_a_full_disk_is_told_with_the_place(store: LayerStore) -> None:
    """A limit on the size of files stands for it: the kernel refuses to write in the same place."""
    large = [file_entry("/opt/x", bytes(range(256)) * 40_000)]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(StateError) as caught:
            store.make(KEY, "a layer", lambda: given(large))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    scratch = store.layout.folder / "scratch"
    first, *rest = str(caught.value).splitlines()
    assert first.startswith(f"{scratch}/") and first.endswith(": cannot write: File too large.")
    assert rest == [
        "Expected a writable folder with free space. "
        "Free some space or mend the permissions, then run the command again."
    ]
    assert list(scratch.iterdir()) == []
    assert store.find(KEY, "a layer") is None
    store.make(KEY, "a layer", lambda: given(large))


def test_a_link_with_a_file_below_it_is_no_layer(tmp_path: Path) -> None:
    store = LayerStore(Layout(tmp_path / "images"))
    entries = [file_entry("/a/lib64/x", b"x"), link_entry("/a/lib64", "lib")]
    with pytest.raises(ImageError, match=r"^/a/lib64: .* has a link there, and "):
        store.make(KEY, "a layer", lambda: given(entries))
    assert store.find(KEY, "a layer") is None


def test_a_key_depends_on_content_and_builder_alone() -> None:
    assert layer_key({"a": 1, "b": 2}) == layer_key({"b": 2, "a": 1})
    assert layer_key({"a": 1}) != layer_key({"a": 2})

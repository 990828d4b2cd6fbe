"""A layout holds whole blobs only, and its index is changed by one process at a time."""

import json
import multiprocessing
from pathlib import Path

import pytest

from esteira.errors import ImageError
from esteira.images.descriptor import Descriptor, describe_bytes, document_bytes, read_descriptor
from esteira.images.layout import TAG, Layout, tag_entry
from esteira.images.media import INDEX, MANIFEST
from esteira.release.digest import digest_bytes


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "images")


def entry(text: str) -> Descriptor:
    return describe_bytes(INDEX, text.encode())


def test_a_blob_is_kept_by_its_digest(layout: Layout) -> None:
    made = layout.add("text/plain", b"a blob")
    assert made == Descriptor("text/plain", digest_bytes(b"a blob"), 6)
    assert layout.blob(made.digest) == layout.folder / "blobs" / "sha256" / made.digest[7:]
    assert layout.has(made)
    layout.blob(made.digest).write_bytes(b"a")
    assert not layout.has(made)
    layout.add("text/plain", b"a blob")
    assert layout.blob(made.digest).read_bytes() == b"a blob"


def test_a_scratch_file_is_gone_unless_it_was_adopted(layout: Layout) -> None:
    with layout.scratch_file() as path:
        path.write_bytes(b"kept")
        layout.adopt(path, digest_bytes(b"kept"))
    with pytest.raises(KeyError), layout.scratch_file() as path:
        path.write_bytes(b"lost")
        raise KeyError
    assert list((layout.folder / "scratch").iterdir()) == []
    blob = layout.blob(digest_bytes(b"kept"))
    assert blob.read_bytes() == b"kept" and blob.stat().st_mode & 0o777 == 0o644


def test_a_lost_or_damaged_document_is_told(layout: Layout) -> None:
    made = layout.add_document(MANIFEST, {"a": 1})
    assert layout.read(made.digest) == {"a": 1}
    layout.blob(made.digest).write_bytes(b"{")
    with pytest.raises(ImageError, match=rf"^{layout.blob(made.digest)}: is lost or damaged\."):
        layout.read(made.digest)


def test_a_tag_moves_and_other_entries_stay(layout: Layout) -> None:
    assert layout.entries() == [] and layout.tagged("runtime") is None
    old, new = (tag_entry(entry(text), "runtime") for text in ("1", "2"))
    other = tag_entry(entry("3"), "builder")
    bare, later = entry("4"), entry("5")
    layout.name([old, bare])
    layout.name([other])
    layout.name([new, later], replacing=[bare.digest])
    assert layout.entries() == [other, new, later]
    assert layout.tagged("runtime") == new
    assert json.loads((layout.folder / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}


def test_an_index_that_is_damaged_is_told(layout: Layout) -> None:
    layout.name([entry("1")])
    path = layout.folder / "index.json"
    path.write_text("[]")
    with pytest.raises(ImageError) as caught:
        layout.entries()
    assert str(caught.value).startswith(f"{path}: is no index of an OCI layout: ")
    assert str(caught.value).endswith(". Remove it and run: make images")


def name_many(folder: Path, number: int) -> None:
    for count in range(20):
        layout = Layout(folder)
        layout.name([tag_entry(entry(f"{number} {count}"), f"tag-{number}")])


def test_processes_that_name_at_once_lose_nothing(layout: Layout) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=name_many, args=(layout.folder, number)) for number in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sorted(found.annotations[TAG] for found in layout.entries()) == [f"tag-{number}" for number in range(6)]
    for number in range(6):
        found = layout.tagged(f"tag-{number}")
        assert found is not None and found.digest == entry(f"{number} 19").digest


def test_descriptors_are_read_as_they_are_written() -> None:
    whole = Descriptor(MANIFEST, "sha256:0", 3, {"os": "linux"}, {TAG: "x"}, "text/plain")
    assert read_descriptor(whole.document()) == whole
    assert read_descriptor(Descriptor(MANIFEST, "sha256:0", 3).document()) == Descriptor(MANIFEST, "sha256:0", 3)
    assert document_bytes({"b": "é", "a": [1, 2]}) == '{"a":[1,2],"b":"é"}'.encode()

"""A layer's bytes follow from its entries; what packs them again is read by gzip, zlib and tar as one archive."""

import gzip
import hashlib
import io
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import List

import pytest

from esteira.errors import ImageError
from esteira.images.layers.archive import EPOCH, MEMBER_BYTES, SPLICE_BYTES, LayerWriter, with_folders
from esteira.images.layers.entry import Entry, Member, file_entry, folder_entry, link_entry
from esteira.images.layers.store import write_entries
from esteira.release.digest import digest_bytes, digest_file
from tests.images.layers_read import describe, members_of
from tests.images.wheels_made import LARGE, damage, make_wheel

ENTRIES = [
    folder_entry("/opt/empty"),
    file_entry("/opt/a/program", b"#!/bin/sh\n", program=True),
    link_entry("/opt/a/link", "program"),
    file_entry("/opt/a.txt", b"a\n"),
    file_entry(f"/opt/{'long/' * 40}é.txt", b"long\n"),
]


def test_an_archive_is_the_same_whatever_the_order_of_its_entries(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "another folder" / "two"
    two.parent.mkdir()
    written = write_entries(one, ENTRIES)
    assert write_entries(two, ENTRIES[::-1]) == written
    assert one.read_bytes() == two.read_bytes()


def test_what_was_written_tells_digests_and_size(tmp_path: Path) -> None:
    path = tmp_path / "layer"
    written = write_entries(path, ENTRIES)
    assert (written.digest, written.size_bytes) == (digest_file(path), path.stat().st_size)
    assert written.diff_id == digest_bytes(gzip.decompress(path.read_bytes()))


def test_entries_have_normal_modes_owner_0_and_one_time(tmp_path: Path) -> None:
    path = tmp_path / "layer"
    write_entries(path, ENTRIES)
    members = members_of(path)
    assert {(one.uid, one.gid, one.uname, one.gname, one.mtime) for one in members} == {(0, 0, "", "", EPOCH)}
    assert {one.name: one.mode for one in members if "long" not in one.name} == {
        "opt": 0o755,
        "opt/a": 0o755,
        "opt/a/link": 0o777,
        "opt/a/program": 0o755,
        "opt/a.txt": 0o644,
        "opt/empty": 0o755,
    }


def test_a_folder_comes_before_what_is_in_it_and_folders_are_not_torn(tmp_path: Path) -> None:
    path = tmp_path / "layer"
    write_entries(path, ENTRIES)
    names = [member.name for member in members_of(path)]
    assert names[:5] == ["opt", "opt/a", "opt/a/link", "opt/a/program", "opt/a.txt"]
    assert names[-1] == f"opt/{'long/' * 40}é.txt"
    assert len(names) == len(set(names))


def test_contents_and_links_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "layer"
    write_entries(path, ENTRIES)
    with tarfile.open(path) as archive:
        found = {member.name: describe(archive, member) for member in archive}
    assert found["opt/a/link"].content == b"program"
    assert found["opt/a/program"].content == b"#!/bin/sh\n"
    assert found[f"opt/{'long/' * 40}é.txt"].content == b"long\n"


def test_with_folders_keeps_the_mode_of_a_folder_that_was_given() -> None:
    entries = with_folders([file_entry("tmp/x", b""), folder_entry("tmp", 0o1777)])
    assert [(entry.path, entry.mode) for entry in entries] == [("tmp", 0o1777), ("tmp/x", 0o644)]


def test_an_archive_larger_than_a_gzip_member_is_one_stream(tmp_path: Path) -> None:
    content = bytes(range(256)) * (3 * MEMBER_BYTES // 256)
    path = tmp_path / "layer"
    written = write_entries(path, [file_entry("one", content), file_entry("two", content)])
    assert gzip_members(path.read_bytes()) > 1
    assert digest_bytes(gzip.decompress(path.read_bytes())) == written.diff_id
    with tarfile.open(path) as archive:
        stream = archive.extractfile("two")
        assert stream is not None and stream.read() == content


def test_a_large_file_of_a_wheel_keeps_the_wheels_own_bytes(tmp_path: Path) -> None:
    """And what comes out is what packing it again would have given."""
    wheel = make_wheel(tmp_path, "big", {"big.txt": LARGE, "small.txt": "small\n"})
    with zipfile.ZipFile(wheel.path) as archive:
        big, small = (Member(archive, archive.getinfo(name)) for name in ("big.txt", "small.txt"))
        assert big.info.file_size >= SPLICE_BYTES
        entries = [Entry("big.txt", 0o644, member=big), Entry("small.txt", 0o644, member=small)]
        written = write_entries(tmp_path / "layer", entries)
        local = wheel.path.read_bytes()
    content = (tmp_path / "layer").read_bytes()
    start = local.index(b"big.txt") + len("big.txt")
    assert local[start : start + big.info.compress_size] in content
    plain = [file_entry("big.txt", LARGE.encode()), file_entry("small.txt", b"small\n")]
    assert write_entries(tmp_path / "plain", plain).diff_id == written.diff_id
    assert hashlib.sha256(gzip.decompress(content)).hexdigest() == written.diff_id.partition(":")[2]


def test_a_large_stored_file_of_a_wheel_is_packed(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "big", {"big.txt": LARGE}, stored=True)
    with zipfile.ZipFile(wheel.path) as archive:
        entry = Entry("big.txt", 0o644, member=Member(archive, archive.getinfo("big.txt")))
        written = write_entries(tmp_path / "layer", [entry])
    assert written == write_entries(tmp_path / "plain", [file_entry("big.txt", LARGE.encode())])


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("content", [LARGE, "a small file\n" * 40])
def test_a_damaged_file_of_a_wheel_is_told(tmp_path: Path, content: str, stored: bool) -> None:
    wheel = make_wheel(tmp_path, "bad", {"bad.txt": content}, stored=stored)
    damage(wheel.path, "bad.txt")
    with zipfile.ZipFile(wheel.path) as archive:
        entry = Entry("bad.txt", 0o644, member=Member(archive, archive.getinfo("bad.txt")))
        with pytest.raises(ImageError) as caught:
            LayerWriter(io.BytesIO()).add(entry)
    head, tail = f"{wheel.path}: bad.txt is damaged: ", ". Remove the wheel and run: make wheels"
    assert str(caught.value).startswith(head) and str(caught.value).endswith(tail)
    reason = str(caught.value)[len(head) : -len(tail)]
    assert "Error" in reason or "Bad CRC-32" in reason


def test_a_wrong_checksum_of_a_large_file_is_told(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "bad", {"bad.txt": LARGE})
    with zipfile.ZipFile(wheel.path) as archive:
        info = archive.getinfo("bad.txt")
        info.CRC ^= 1
        with pytest.raises(ImageError) as caught:
            LayerWriter(io.BytesIO()).add(Entry("bad.txt", 0o644, member=Member(archive, info)))
    assert str(caught.value) == (
        f"{wheel.path}: bad.txt is damaged: Bad CRC-32 for file 'bad.txt'. Remove the wheel and run: make wheels"
    )


def gzip_members(content: bytes) -> int:
    ends: List[int] = []
    while content:
        unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
        unpacking.decompress(content)
        content = unpacking.unused_data
        ends.append(len(content))
    return len(ends)

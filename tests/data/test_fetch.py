"""Fetching by name and hash, with the real pip and no network."""

import io
import tarfile
from pathlib import Path
from typing import List

import pytest

from esteira.cache import hash_file
from esteira.data.fetch import Pin, download_folders, fetch, read_pin
from esteira.errors import DataError

FILES = {
    "PKG-INFO": "Metadata-Version: 1.0\nName: toydata\nVersion: 1.0\n",
    "setup.py": "from setuptools import setup\nsetup(name='toydata', version='1.0')\n",
}


@pytest.fixture
def pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pin:
    """A pin whose source distribution pip finds in a folder."""
    path = tmp_path / "index" / "toydata-1.0.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(f"toydata-1.0/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return Pin("toydata==1.0", hash_file(path), Path("dataset.txt"))


@pytest.fixture
def folders(tmp_path: Path) -> List[Path]:
    return [tmp_path / "cache", tmp_path / "state"]


@pytest.mark.programs
def test_downloads_once_into_the_users_cache(pin: Pin, folders: List[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = fetch(pin, folders)
    assert path == folders[0] / pin.sha256 / "toydata-1.0.tar.gz"
    monkeypatch.delenv("PIP_FIND_LINKS")
    assert fetch(pin, folders) == path
    assert [entry.name for entry in folders[0].iterdir()] == [pin.sha256]
    assert not folders[1].exists()


@pytest.mark.programs
def test_downloads_again_what_does_not_match_its_hash(pin: Pin, folders: List[Path]) -> None:
    path = fetch(pin, folders)
    path.write_bytes(b"half")
    assert hash_file(fetch(pin, folders)) == pin.sha256


@pytest.mark.programs
def test_uses_the_state_folder_where_there_can_be_no_cache(pin: Pin, folders: List[Path]) -> None:
    folders[0].write_text("a file in the way")
    assert fetch(pin, folders).parent == folders[1] / pin.sha256


@pytest.mark.programs
def test_says_what_to_do_without_a_network_and_leaves_nothing(
    pin: Pin, folders: List[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(DataError) as caught:
        fetch(pin, folders)
    message = str(caught.value)
    assert message.startswith("dataset.txt: cannot download the source of toydata==1.0:")
    assert f"copy the file into {folders[0] / pin.sha256}" in message
    assert list(folders[0].iterdir()) == []


@pytest.mark.programs
def test_refuses_another_file_of_the_same_name(pin: Pin, folders: List[Path]) -> None:
    with pytest.raises(DataError, match="HASH"):
        fetch(pin._replace(sha256="0" * 64), folders)
    assert list(folders[0].iterdir()) == []


def test_uses_a_file_that_was_copied_into_the_state_folder(pin: Pin, folders: List[Path], tmp_path: Path) -> None:
    copy = folders[1] / pin.sha256 / "any-name"
    copy.parent.mkdir(parents=True)
    copy.write_bytes((tmp_path / "index" / "toydata-1.0.tar.gz").read_bytes())
    assert fetch(pin, folders) == copy


@pytest.mark.parametrize(
    ("environ", "cache"),
    [
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, ["/x/esteira/downloads"]),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, ["/h/.cache/esteira/downloads"]),
        ({"HOME": "/h"}, ["/h/.cache/esteira/downloads"]),
        ({}, []),
    ],
)
def test_looks_into_the_users_cache_before_the_state_folder(environ: "dict[str, str]", cache: List[str]) -> None:
    assert [str(folder) for folder in download_folders(Path("/s"), environ)] == [*cache, "/s/downloads"]


def test_the_default_data_is_pinned() -> None:
    pin = read_pin(Path(__file__).parents[2] / "modules" / "dataset.txt")
    assert (pin.requirement, pin.sha256[:8]) == ("vaderSentiment==3.3.2", "5d7c06e0")


@pytest.mark.parametrize("content", ["", "toydata==1.0\n", "toydata>=1 --hash=sha256:" + "0" * 64, "a==1\nb==2\n"])
def test_a_file_without_one_pin_is_a_fault(tmp_path: Path, content: str) -> None:
    (tmp_path / "dataset.txt").write_text(content)
    with pytest.raises(DataError, match="pins no package"):
        read_pin(tmp_path / "dataset.txt")

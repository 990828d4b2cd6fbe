"""The pictures of terminals: what stays on one is drawn, and nothing of this machine."""

import subprocess
import sys
from pathlib import Path
from typing import Dict, List
from xml.etree import ElementTree

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.programs
PICTURES = REPOSITORY / "docs" / "pictures"
LARGEST_BYTES = 150_000


def record(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run record.py in `folder`, its picture picture.svg."""
    command = [sys.executable, str(PICTURES / "record.py"), "picture.svg", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False, timeout=60)


def drawn(folder: Path) -> List[str]:
    """Return the lines of the picture's text, without the spaces at their ends."""
    root = ElementTree.fromstring((folder / "picture.svg").read_text(encoding="utf-8"))
    lines: Dict[float, Dict[float, str]] = {}
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        lines.setdefault(float(text.attrib["y"]), {})[float(text.attrib["x"])] = text.text or ""
    joined = ["".join(part for _, part in sorted(parts.items())) for _, parts in sorted(lines.items())]
    return [line.replace("\xa0", " ").rstrip() for line in joined]


def test_what_stays_on_the_terminal_is_drawn_behind_the_command(tmp_path: Path) -> None:
    script = r"printf '● one\n● two\r\033[2K\033[1A\033[2Kdone\n\033[31mred\033[0m and not\n'; exit 3"
    done = record(tmp_path, "--typed", "make plan", "--", "sh", "-c", script)
    assert (done.returncode, drawn(tmp_path)) == (3, ["$ make plan", "done", "red and not"])


def test_a_line_is_broken_where_a_terminal_breaks_it(tmp_path: Path) -> None:
    assert record(tmp_path, "--columns", "20", "--", "echo", "ab cd ef gh ij kl mn op").returncode == 0
    assert drawn(tmp_path) == ["$ echo 'ab cd ef gh", "ij kl mn op'", "ab cd ef gh ij kl mn", " op"]


def test_lines_are_cut_and_left_out(tmp_path: Path) -> None:
    record(tmp_path, "--cut", "^[23]", "--leave-out", "^5", "--typed", "seq", "--", "seq", "6")
    assert drawn(tmp_path) == ["$ seq", "1", "⋮", "4", "6"]


def test_the_place_of_this_repository_is_not_drawn(tmp_path: Path) -> None:
    done = record(tmp_path, "--", "echo", str(REPOSITORY / "docs"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"The picture would show {REPOSITORY}. Record in a clone elsewhere")
    assert not (tmp_path / "picture.svg").exists()


def test_the_pictures_are_small_and_fetch_nothing() -> None:
    for picture in PICTURES.iterdir():
        assert picture.stat().st_size < LARGEST_BYTES, picture
        if picture.suffix == ".svg":
            text = picture.read_text(encoding="utf-8")
            assert "://" not in text.replace('xmlns="http://www.w3.org/2000/svg"', ""), picture
            ElementTree.fromstring(text)

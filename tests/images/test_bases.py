from pathlib import Path

import pytest
import tomli

from esteira.errors import ImageError
from esteira.images.bases import Base, read_bases, with_digest
from tests.repositories import write

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
PINNED = f"""# The bases.

[python]  # what jobs run on
image = "docker.io/library/python"
# The tag that people know.
tag = "3.8-slim"
digest = "{ONE}"  # looked up on a Monday
python = "/usr/local/bin/python3.8"

# Another one.
[ "debian" ]
image = "example.test:5000/debian"
tag = "12"
python = "/usr/bin/python3.8"
  digest="{TWO}"
"""


def told(root: Path, text: str, *, pinned: bool = True) -> str:
    write(root / "docker" / "bases.toml", text)
    with pytest.raises(ImageError) as caught:
        read_bases(root, pinned=pinned)
    return str(caught.value)


def test_bases_are_read(tmp_path: Path) -> None:
    write(tmp_path / "docker" / "bases.toml", PINNED)
    bases = read_bases(tmp_path)
    assert bases["python"] == Base("python", "docker.io/library/python", "3.8-slim", ONE, "/usr/local/bin/python3.8")
    assert bases["debian"].reference == f"example.test:5000/debian@{TWO}"
    assert bases["debian"].tagged == "example.test:5000/debian:12"


@pytest.mark.parametrize("digest", ["", 'digest = ""', 'digest = "sha256:123"', f'digest = "sha512:{"1" * 64}"'])
def test_a_base_without_a_digest_is_an_error(tmp_path: Path, digest: str) -> None:
    text = PINNED.replace(f'digest = "{ONE}"  # looked up on a Monday', digest)
    assert told(tmp_path, text) == (
        'docker/bases.toml: base image "docker.io/library/python:3.8-slim" has no digest.\n'
        "Expected python.digest to be sha256:<64 hex>. Run: make pins"
    )
    assert sorted(read_bases(tmp_path, pinned=False)) == ["debian", "python"]


def test_every_fault_is_told_with_its_place(tmp_path: Path) -> None:
    text = PINNED.replace('tag = "3.8-slim"', 'tags = "3.8-slim"').replace('tag = "12"', "tag = 12")
    assert told(tmp_path, text).splitlines() == [
        "docker/bases.toml: python.tags: unknown key. Perhaps you meant tag.",
        "docker/bases.toml: python.tag is missing.",
        "docker/bases.toml: debian.tag is 12; expected a text.",
    ]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (
            "io/library/python",
            "io/library/python:3",
            'python.image is "docker.io/library/python:3"; expected no tag or digest in it: they have their own keys.',
        ),
        (
            "io/library/python",
            f"io/library/python@{ONE}",
            f'python.image is "docker.io/library/python@{ONE}"; '
            "expected no tag or digest in it: they have their own keys.",
        ),
        (
            '"docker.io/library/python"',
            '""',
            "python.image is empty; expected an image such as docker.io/library/python.",
        ),
        ('"3.8-slim"', '""', "python.tag is empty; expected the tag that people know it by, such as 3.8-slim."),
        (
            '"/usr/local/bin/python3.8"',
            '""',
            "python.python is empty; expected the absolute path of a Python 3.8 in the image.",
        ),
        (
            '"/usr/local/bin/python3.8"',
            '"python3.8"',
            'python.python is "python3.8"; expected the absolute path of a Python 3.8 in the image.',
        ),
    ],
)
def test_a_wrong_value_is_told(tmp_path: Path, before: str, after: str, line: str) -> None:
    assert told(tmp_path, PINNED.replace(before, after)) == f"docker/bases.toml: {line}"


def test_what_is_no_table_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, 'python = "3.8"\n') == (
        "docker/bases.toml: python: is no table. Expected [python] with image, tag, digest, python."
    )


def test_a_file_that_is_missing_or_no_toml_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        read_bases(tmp_path)
    assert str(caught.value) == "docker/bases.toml: no such file. Run: git checkout -- docker/bases.toml"
    assert told(tmp_path, "[python\n") == (
        "docker/bases.toml: is not TOML: Expected ']' at the end of a table declaration (at line 1, column 8). "
        "Expected tables such as [python]."
    )


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "docker" / "bases.toml").mkdir(parents=True)
    with pytest.raises(ImageError) as caught:
        read_bases(tmp_path)
    assert str(caught.value) == "docker/bases.toml: cannot be read: Is a directory."


def test_a_digest_is_rewritten_and_nothing_else() -> None:
    new = f"sha256:{'3' * 64}"
    assert with_digest(PINNED, "python", new) == PINNED.replace(ONE, new)
    assert with_digest(PINNED, "debian", new) == PINNED.replace(TWO, new)
    assert with_digest(PINNED, "python", ONE) == PINNED


def test_a_digest_that_is_missing_is_put_into_its_table() -> None:
    text = PINNED.replace(f'digest = "{ONE}"  # looked up on a Monday\n', "")
    new = with_digest(text, "python", ONE)
    assert new.replace(f'digest = "{ONE}"\n', "") == text
    assert tomli.loads(new) == tomli.loads(PINNED)


def test_tables_that_are_written_otherwise_are_told() -> None:
    """Only lines can be rewritten without losing comments."""
    with pytest.raises(ImageError) as caught:
        with_digest('python = {image = "a", tag = "b"}\n', "python", ONE)
    assert str(caught.value) == (
        "docker/bases.toml: has no line [python]. Expected one, with the keys of the base in lines below it."
    )

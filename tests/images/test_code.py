"""The repository's files for an image are those that git has, in a frozen source and in the workspace of a build."""

from pathlib import Path

import pytest

from esteira.errors import ImageError, SourceError
from esteira.images.code import blob_id, code_of_source, code_of_workspace
from esteira.source import frozen_source
from tests.repositories import commit_all, make_repository, run_git, write

pytestmark = pytest.mark.programs
FILES = {
    "esteira/a.py": "A = 1\n",
    "esteira/empty.py": "",
    "pipeline/olá.py": "P = 'olá'\n",
    "docker/runtime.toml": "x = 1\n",
    "modules/model.py": "M = 1\n",
    "tests/test_a.py": "T = 1\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "root", FILES)


def test_the_files_of_the_part_image_are_read_from_git(root: Path, tmp_path: Path) -> None:
    with frozen_source(root, tmp_path / "state") as source:
        code = code_of_source(source)
        # An edit after the source was frozen.
        write(root / "esteira" / "a.py", "A = 2\n")
        assert code.read(code.files) == {
            "docker/runtime.toml": b"x = 1\n",
            "esteira/a.py": b"A = 1\n",
            "esteira/empty.py": b"",
            "pipeline/olá.py": "P = 'olá'\n".encode(),
        }


def test_a_changed_file_is_read_as_it_is(root: Path, tmp_path: Path) -> None:
    write(root / "esteira" / "a.py", "A = 2\n")
    (root / "esteira" / "link.py").symlink_to("a.py")
    with frozen_source(root, tmp_path / "state") as source:
        code = code_of_source(source)
        contents = code.read(["esteira/a.py", "esteira/link.py"])
    assert contents == {"esteira/a.py": b"A = 2\n", "esteira/link.py": b"a.py"}
    assert code.files["esteira/link.py"].startswith("120000 ")


def test_a_link_that_leads_out_of_the_part_is_told(root: Path, tmp_path: Path) -> None:
    (root / "pipeline" / "model.py").symlink_to("../modules/model.py")
    commit_all(root)
    with frozen_source(root, tmp_path / "state") as source, pytest.raises(SourceError) as caught:
        code_of_source(source)
    assert str(caught.value) == (
        "pipeline/model.py: is a symbolic link to ../modules/model.py, which is no file of part image.\n"
        "Expected a relative link to a file of the same part. Put a copy of the file in its place."
    )


def test_a_workspace_gives_the_files_that_were_listed(root: Path, tmp_path: Path) -> None:
    with frozen_source(root, tmp_path / "state") as source:
        files = dict(code_of_source(source).files)
    assert code_of_workspace(root, files).read(["esteira/a.py"]) == {"esteira/a.py": b"A = 1\n"}
    write(root / "esteira" / "a.py", "A = 2\n")
    with pytest.raises(ImageError) as caught:
        code_of_workspace(root, files).read(["esteira/a.py"])
    assert str(caught.value) == (
        "esteira/a.py: is not what it was when the deploy began. Run the deploy again.\n"
        "If it says so again, .gitattributes changes the file on its way (eol, ident, filter): "
        "expected none of them for what an image holds."
    )
    (root / "esteira" / "a.py").unlink()
    with pytest.raises(ImageError) as caught:
        code_of_workspace(root, files).read(["esteira/a.py"])
    assert str(caught.value) == ("esteira/a.py: cannot be read: No such file or directory. Run the deploy again.")


def test_contents_are_named_as_git_names_them(root: Path) -> None:
    assert blob_id(b"A = 1\n", 40) == run_git(root, "hash-object", "esteira/a.py")
    assert blob_id(b"", 64) == "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"

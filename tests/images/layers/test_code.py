from pathlib import Path
from typing import Dict, Iterable, List

import pytest

from esteira.errors import ImageError
from esteira.images.layers.code import Code, code_layer
from esteira.images.layers.store import LayerStore
from esteira.images.layout import Layout
from tests.images.layers_read import Found, tree_of

pytestmark = pytest.mark.programs

CONTENTS = {
    "esteira/a.py": b"A = 1\n",
    "esteira/no.py": b"print 'no Python 3'\n",
    "esteira/run.sh": b"#!/bin/sh\n",
    "esteira/link": b"a.py",
    "esteira2/b.py": b"B = 1\n",
    "pipeline/p.py": b"P = 1\n",
}
MODES = {"esteira/run.sh": "100755", "esteira/link": "120000"}


def make_code(contents: Dict[str, bytes] = CONTENTS, asked: List[str] = []) -> Code:  # noqa: B006
    def read(paths: Iterable[str]) -> Dict[str, bytes]:
        asked.extend(paths)
        return {path: contents[path] for path in paths}

    return Code({path: f"{MODES.get(path, '100644')} {contents[path].hex()}" for path in contents}, read)


def test_a_folder_is_laid_below_the_working_folder_with_its_byte_code(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    tree = tree_of(layout, [code_layer(LayerStore(layout), make_code(), "esteira", "/app")])
    compiled = tree.pop("app/esteira/__pycache__/a.cpython-38.pyc")
    assert tree == {
        "app": Found("folder", 0o755),
        "app/esteira": Found("folder", 0o755),
        "app/esteira/__pycache__": Found("folder", 0o755),
        "app/esteira/a.py": Found("file", 0o644, b"A = 1\n"),
        "app/esteira/link": Found("link", 0o777, b"a.py"),
        "app/esteira/no.py": Found("file", 0o644, b"print 'no Python 3'\n"),
        "app/esteira/run.sh": Found("file", 0o755, b"#!/bin/sh\n"),
    }
    assert b"/app/esteira/a.py" in compiled.content


def test_a_layer_that_is_there_is_not_read_again(tmp_path: Path) -> None:
    store, asked = LayerStore(Layout(tmp_path)), []  # type: ignore[var-annotated]
    one = code_layer(store, make_code(asked=asked), "esteira", "/app")
    assert sorted(asked) == sorted(path for path in CONTENTS if path.startswith("esteira/"))
    asked.clear()
    other = {**CONTENTS, "pipeline/p.py": b"P = 2\n", "esteira2/b.py": b"B = 2\n"}
    assert code_layer(store, make_code(other, asked), "esteira", "/app") == one
    assert asked == []


def test_a_change_of_content_or_mode_makes_another_layer(tmp_path: Path) -> None:
    store = LayerStore(Layout(tmp_path))
    one = code_layer(store, make_code(), "esteira", "/app")
    changed = code_layer(store, make_code({**CONTENTS, "esteira/a.py": b"A = 2\n"}), "esteira", "/app")
    files = dict(make_code().files, **{"esteira/run.sh": f"100644 {CONTENTS['esteira/run.sh'].hex()}"})
    plain = code_layer(store, Code(files, make_code().read), "esteira", "/app")
    assert len({one.digest, changed.digest, plain.digest}) == 3


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        code_layer(LayerStore(Layout(tmp_path)), make_code(), "docker", "/app")
    assert str(caught.value) == "docker: holds no files. Expected a folder of the repository, as docker/*.toml name it."


def test_files_below_folders_are_told_by_whole_names() -> None:
    assert list(make_code().below("esteira", "pipeline").files) == [
        path for path in CONTENTS if not path.startswith("esteira2")
    ]

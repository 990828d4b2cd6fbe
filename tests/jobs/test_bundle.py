"""The modules bundle, run as TFX runs it: in another process, in a folder without `modules`."""

import os
import sys
from pathlib import Path
from typing import Dict, Union

import pytest

from esteira.errors import CompileError, ProgramError
from esteira.jobs.bundle import bundle_modules, read_bundle
from esteira.process import run_program

FILES: Dict[str, Union[str, bytes]] = {
    "__init__.py": "",
    "preprocessing.py": "from modules.words import twice\n\ndef preprocessing_fn(x):\n    return twice(x)\n",
    "words.py": "def twice(x):\n    return 2 * x\n",
    "model.py": "from modules import words\n\n\ndef run_fn(x):\n    raise ValueError('stopped here')\n",
    "labels.json": '{"labels": ["ação"]}',
    "deep/__init__.py": "",
    "deep/tree.json": "[1]",
    "best_hyperparameters/best.json": "{}",
    "words.txt": "ação\r\nword\n",
    "deep/vectors.bin": b"\x00\xff'\"\n",
    ".words.py.swp": "an editor's",
    "words.pyc": b"\x00",
}
LOADING = """
import importlib.machinery, importlib.util, json, pkgutil, sys
from importlib import resources

def load(path):
    loader = importlib.machinery.SourceFileLoader("user_module_0", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader, origin=path))
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module

bundle = load("modules.py")
"""


def write_package(folder: Path, files: Dict[str, Union[str, bytes]]) -> Path:
    for name, content in files.items():
        path = folder / "modules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return folder / "modules"


def run_with_bundle(tmp_path: Path, code: str) -> str:
    bundle = bundle_modules(write_package(tmp_path / "source", FILES))
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / "modules.py").write_bytes(bundle)
    return run_program([sys.executable, "-c", LOADING + code], cwd=elsewhere, timeout_s=60)


@pytest.mark.programs
def test_functions_helpers_and_json_are_found(tmp_path: Path) -> None:
    output = run_with_bundle(
        tmp_path,
        "assert bundle.preprocessing_fn(21) == 42\n"
        "print(json.loads(resources.read_text('modules', 'labels.json')))\n"
        "print(pkgutil.get_data('modules.deep', 'tree.json'))\n"
        "print(hasattr(bundle, 'tuner_fn_of_nobody'), importlib.util.find_spec('modules.absent'))\n",
    )
    assert output.splitlines() == ["{'labels': ['ação']}", "b'[1]'", "False None"]


@pytest.mark.programs
def test_every_other_file_is_read_as_it_was_byte_for_byte(tmp_path: Path) -> None:
    output = run_with_bundle(
        tmp_path,
        "print(pkgutil.get_data('modules', 'words.txt').decode('utf-8').split())\n"
        "print(resources.read_binary('modules', 'words.txt') == pkgutil.get_data('modules', 'words.txt'))\n"
        "print(list(resources.read_binary('modules.deep', 'vectors.bin')))\n"
        "print(list(resources.contents('modules')))\n",
    )
    assert output.splitlines() == [
        "['ação', 'word']",
        "True",
        "[0, 255, 39, 34, 10]",
        "['__init__.py', 'deep', 'labels.json', 'model.py', 'preprocessing.py', 'words.py', 'words.txt']",
    ]


@pytest.mark.programs
def test_a_second_load_keeps_what_was_imported(tmp_path: Path) -> None:
    code = "first = bundle.preprocessing_fn\nprint(load('modules.py').preprocessing_fn is first)\n"
    assert run_with_bundle(tmp_path, code) == "True\n"


@pytest.mark.programs
def test_a_traceback_shows_file_line_and_source(tmp_path: Path) -> None:
    with pytest.raises(ProgramError) as caught:
        run_with_bundle(tmp_path, "bundle.run_fn(1)\n")
    assert 'modules.py/modules/model.py", line 5, in run_fn' in str(caught.value)
    assert "raise ValueError('stopped here')" in str(caught.value)


@pytest.mark.programs
def test_the_bundle_takes_the_place_of_modules_imported_before(tmp_path: Path) -> None:
    code = "from modules.words import twice\nload('other.py')\nimport modules.words\n"
    code += "print(twice(1), modules.words.twice(1))\n"
    other = write_package(tmp_path / "other", {**FILES, "words.py": "def twice(x):\n    return -2 * x\n"})
    (tmp_path / "else where").mkdir()
    (tmp_path / "else where" / "other.py").write_bytes(bundle_modules(other))
    (tmp_path / "else where" / "modules.py").write_bytes(bundle_modules(write_package(tmp_path / "source", FILES)))
    output = run_program([sys.executable, "-c", LOADING + code], cwd=tmp_path / "else where", timeout_s=60)
    assert output == "2 -2\n"


def test_the_bytes_depend_on_contents_alone(tmp_path: Path) -> None:
    one = write_package(tmp_path / "one", FILES)
    two = write_package(tmp_path / "two", dict(reversed(list(FILES.items()))))
    os.utime(two / "words.py", (0, 0))
    (two / "__pycache__").mkdir()
    (two / "__pycache__" / "words.py").write_text("left out")
    assert bundle_modules(one) == bundle_modules(two)
    (two / "words.py").write_text("def twice(x):\n    return x + x\n")
    assert bundle_modules(one) != bundle_modules(two)


def test_every_syntax_error_is_named_with_its_place(tmp_path: Path) -> None:
    folder = write_package(tmp_path, {**FILES, "words.py": "x = 1\nif x\n", "model.py": "def f(:\n"})
    with pytest.raises(CompileError) as caught:
        bundle_modules(folder)
    assert f"{folder}/model.py:1: invalid syntax: def f(:" in str(caught.value)
    assert f"{folder}/words.py:2: invalid syntax: if x" in str(caught.value)


def test_a_folder_that_is_no_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="is no Python package"):
        bundle_modules(tmp_path)


def test_a_python_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    folder = write_package(tmp_path, FILES)
    (folder / "words.py").write_bytes(b"# caf\xe9\n")
    with pytest.raises(CompileError, match=r"words.py: is not UTF-8 at byte 5"):
        bundle_modules(folder)


def test_a_bundle_can_be_read_without_running_it(tmp_path: Path) -> None:
    left_out = ("best_hyperparameters/best.json", ".words.py.swp", "words.pyc")
    expected = {f"modules/{name}": content for name, content in FILES.items() if name not in left_out}
    assert read_bundle(bundle_modules(write_package(tmp_path, FILES))) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"def f(:",
        b"\x00",
        b"import os\nos.abort()\n",
        b"install_bundle(open('/etc/passwd').read(), __file__)",
        b"install_bundle({1: 'text'}, __file__)",
        b"install_bundle({'modules/a.py': 1}, __file__)",
        b"install_bundle(['modules/a.py'], __file__)",
        b"install_bundle(" + b"(" * 5000 + b")" * 5000 + b")",
    ],
)
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    with pytest.raises(CompileError, match=r"^this is no bundle of modules\. Expected a modules\.py that a deploy"):
        read_bundle(content)

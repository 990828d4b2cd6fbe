"""Byte code is the same whatever else the interpreter that compiles has met, and it is what Python runs."""

import importlib.util
import marshal
import os
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import CodeType
from typing import Any, BinaryIO, Dict, List, cast

import pytest

from esteira.errors import ImageError
from esteira.images.layers.bytecode import WORKER, byte_code_path, compiler
from esteira.images.layers.compile_worker import UNCHECKED, compile_source, marshalled
from tests.conftest import REPOSITORY

# Names, constants and docstrings that other modules have, too, some interned and some not; sets; nested code.
SOURCE = '''
"""A module."""
import os, sys, collections
from typing import Dict

NAMES = ("self", "name", "os", "a text that is no identifier", b"bytes", 1.5, 3 + 4j, (1, (2, "deep")), ...)
WORDS = frozenset(("alpha", "beta", "gamma"))

class Thing(object):
    """self"""
    def __init__(self, name, *args, value={"alpha", "beta"}, **options) -> None:
        self.name = name in {"alpha", "beta", "gamma", "delta", 1, 2.5, None}
        self.many = [lambda x: x + value for value in args if value not in {"z", "y", "x"}]

    async def run(self):
        def inner():
            nonlocal_name = f"{self.name!r:>10} {sys.version_info}"
            return nonlocal_name, 12345678901234567890, "self", "name", "os"
        return inner
'''
# Compiles one source and writes its byte code, as the first argument says after other work.
ASK = """
import sys
{before}
sys.path.insert(0, {folder!r})
import compile_worker
for name in ("alpha", "beta", "NAMES", "nonlocal_name", "a text that is no identifier"):
    {intern}
sys.stdout.buffer.write(compile_worker.compile_source("/app/thing.py", {source!r}.encode()))
"""
MANY = "import asyncio, json, email.message, unittest, xml.dom.minidom, logging.config, http.server, decimal, ast"
STATES = {
    "fresh": ("", "pass"),
    "imported": (MANY, "pass"),
    "names known": ("", "globals()[sys.intern(name)] = sys.intern(name)"),
    "compiled before": (f"exec(compile({SOURCE!r}, 'elsewhere', 'exec'))", "pass"),
}


def compiled_in(state: str, environ: Dict[str, str], arguments: List[str]) -> bytes:
    before, intern = STATES[state]
    text = ASK.format(before=before, intern=intern, folder=str(WORKER.parent), source=SOURCE)
    command = [sys.executable, *arguments, "-c", text]
    done = subprocess.run(command, capture_output=True, env={"PATH": os.environ["PATH"], **environ}, check=True)
    return done.stdout


@pytest.mark.programs
def test_byte_code_is_the_same_whatever_the_interpreter_has_met() -> None:
    found = {
        (state, seed): compiled_in(state, {"PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}, ["-S"])
        for state in STATES
        for seed in ("0", "1", "2", "3")
    }
    assert len(found) == 16
    assert len(set(found.values())) == 1


@pytest.mark.programs
def test_byte_code_of_real_modules_is_the_same_in_any_order() -> None:
    paths = sorted((REPOSITORY / "esteira" / "images").rglob("*.py"))
    with compiler() as one, compiler() as two:
        forth = {path: one.compile(f"/app/{path.name}", path.read_bytes()) for path in paths}
        back = {path: two.compile(f"/app/{path.name}", path.read_bytes()) for path in reversed(paths)}
    assert forth == back
    assert compile_source(f"/app/{paths[0].name}", paths[0].read_bytes()) == forth[paths[0]]


@pytest.mark.programs
def test_byte_code_is_the_same_under_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's environment reaches the compiler, not even what changes all interpreters."""
    with compiler() as compiling:
        before = compiling.compile("/app/x.py", SOURCE.encode())
    (tmp_path / "sitecustomize.py").write_text("import builtins\nbuiltins.compile = None\n")
    settings = {"PYTHONHASHSEED": "77", "PYTHONOPTIMIZE": "2", "PYTHONPATH": str(tmp_path), "TZ": "Asia/Kathmandu"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with compiler() as compiling:
        assert compiling.compile("/app/x.py", SOURCE.encode()) == before


VALUES = r"""
(None, True, False, ..., 0, -1, 2**31 - 1, -2**31, 2**31, -2**31 - 1, 2**15, -(10**40), 1.5, -0.0, 1e400, 2-3j)
("", "name", "no name", "name", "ol\u00e1", "\ud800", "a" * 300, "not a name " * 40, b"", b"bytes" * 100, ("a",) * 300)
[x in {None, "a", 1, 2.5, ..., (None, "b"), b"c"}, x in {"name", "other"}, x in {}]
lambda a, b=1, *c, d, e=2, **f: (a, lambda: (b, e), [g for g in c], {"name"})
def name(a, /, b): yield from (a, b)
async def name(): return [i async for i in name()]
"""


@pytest.mark.parametrize("source", [*VALUES.strip().splitlines(), SOURCE])
def test_marshal_reads_what_was_compiled(source: str) -> None:
    code = compile(source, "/app/é.py", "exec")
    assert flat(marshal.loads(marshalled(code))) == flat(code)


def test_a_set_is_written_in_one_order() -> None:
    """None's hash is an address: two builds of Python 3.8 have it elsewhere."""
    content = compile_source("/app/x.py", b"x in {'raw', None, 'imagenet', 1}")
    start = content.index(b">\x04\0\0\0")
    assert content[start : start + 20] == b">\x04\0\0\0Ni\x01\0\0\0\xda\x03raw\xda\x08im"


def flat(value: Any) -> Any:
    """Return a value with code objects as what they hold, and of each value the type, too."""
    if isinstance(value, CodeType):
        return [(name, flat(getattr(value, name))) for name in dir(value) if name.startswith("co_")]
    if isinstance(value, tuple):
        return tuple(flat(part) for part in value)
    return (type(value), value if isinstance(value, frozenset) else repr(value))


def test_byte_code_is_never_checked_against_its_source() -> None:
    content = compile_source("/app/x.py", b"X = 1\n")
    assert content[:4] == importlib.util.MAGIC_NUMBER
    assert struct.unpack("<I", content[4:8]) == (UNCHECKED,)
    assert content[8:16] == importlib.util.source_hash(b"X = 1\n")
    assert marshal.loads(content[16:]).co_filename == "/app/x.py"


@pytest.mark.programs
def test_python_runs_the_byte_code_and_not_the_source(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("print('from the source')\n")
    target = tmp_path / byte_code_path("module.py").lstrip("/")
    target.parent.mkdir()
    target.write_bytes(compile_source(str(source), b"print('from byte code')\n"))
    done = subprocess.run([sys.executable, "-c", "import module"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "from byte code\n"


@pytest.mark.programs
@pytest.mark.parametrize(
    "source", [b'print "two"\n', b"\xff\xfe", b"# coding: no-such\n", b"x = 1\0\n", b"(" * 500 + b")" * 500]
)
def test_what_is_no_python_3_has_no_byte_code(source: bytes) -> None:
    with compiler() as compiling:
        assert compiling.compile("/app/x.py", source) is None
        assert compiling.compile("/app/y.py", b"Y = 1\n") == compile_source("/app/y.py", b"Y = 1\n")


@pytest.mark.programs
def test_a_warning_of_the_compiler_is_no_line_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    with compiler() as compiling:
        assert compiling.compile("/app/x.py", b"x = 1 is 1\ny = '\\d'\n") is not None
    assert capfd.readouterr() == ("", "")


@pytest.mark.programs
def test_of_the_environment_an_interpreter_gets_what_it_needs_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/python/lib")
    with compiler() as compiling:
        assert compiling.compile("/app/x.py", b"X = 1\n") is not None
        environ = Path(f"/proc/{compiling._process.pid}/environ").read_text().rstrip("\0").split("\0")
    assert sorted(environ) == ["LD_LIBRARY_PATH=/opt/python/lib", "PYTHONHASHSEED=0", "PYTHONUTF8=1"]


@pytest.mark.programs
def test_ctrl_c_is_no_business_of_the_interpreter(capfd: pytest.CaptureFixture[str]) -> None:
    with compiler() as compiling:
        assert compiling.compile("/app/x.py", b"X = 1\n") is not None
        compiling._process.send_signal(signal.SIGINT)
        assert compiling.compile("/app/y.py", b"Y = 1\n") is not None
    assert compiling._process.returncode == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.programs
def test_an_interpreter_whose_starter_is_gone_ends_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    with compiler() as compiling:
        assert compiling.compile("/app/x.py", b"X = 1\n") is not None
        cast(BinaryIO, compiling._process.stdout).close()
        with suppress(ValueError):
            compiling.compile("/app/y.py", b"Y = 1\n")
    assert compiling._process.returncode == -signal.SIGPIPE
    assert capfd.readouterr() == ("", "")


@pytest.mark.programs
def test_an_interpreter_that_ended_is_told() -> None:
    with compiler() as compiling:
        compiling._process.kill()
        compiling._process.wait()
        with pytest.raises(ImageError) as caught:
            compiling.compile("/app/x.py", b"X = 1\n")
    assert str(caught.value) == "/app/x.py: the interpreter that compiles it ended. Run the command again."


def test_byte_code_lies_where_python_looks_for_it() -> None:
    assert byte_code_path("opt/a/b.py") == "opt/a/__pycache__/b.cpython-38.pyc"
    assert importlib.util.cache_from_source("/opt/a/b.c.py") == "/" + byte_code_path("opt/a/b.c.py")

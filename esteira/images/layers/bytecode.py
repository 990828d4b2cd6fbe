"""The byte code of a layer's modules, which lets a container start in a third of the time.

Python writes other bytes for one source from run to run; `compile_worker` writes the same ones.
"""

import os
import struct
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Iterator, Mapping, Optional, cast

from esteira.errors import ImageError
from esteira.images.layers.place import CACHE_TAG

WORKER = Path(__file__).with_name("compile_worker.py")
# An interpreter outside the system's folders may find its shared library by this alone.
STARTERS = ("LD_LIBRARY_PATH",)


class Compiler:
    """An interpreter that compiles one source after the other."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def compile(self, path: str, source: bytes) -> Optional[bytes]:
        """Return the content of the .pyc of a source, which lies at the absolute `path`; None if it is no Python."""
        name = path.encode("utf-8", "surrogateescape")
        sink, answers = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        try:
            sink.write(struct.pack("<II", len(name), len(source)) + name + source)
            sink.flush()
            (size,) = struct.unpack("<I", answers.read(4))
            return answers.read(size) or None
        except (OSError, struct.error):
            raise ImageError(f"{path}: the interpreter that compiles it ended. Run the command again.") from None


@contextmanager
def compiler(environ: Mapping[str, str] = os.environ) -> Iterator[Compiler]:
    """Run a compiler with nothing of an environment, this process's, but what its interpreter needs to start."""
    # The interpreter itself, not the environment's: no .pth file and no sitecustomize may have a say.
    command = [os.path.realpath(sys.executable), "-S", "-s", "-B", str(WORKER)]
    starters = {name: environ[name] for name in STARTERS if name in environ}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**starters, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
    ) as process:
        try:
            yield Compiler(process)
        finally:
            # What an interpreter that ended has not read is of no interest, and told elsewhere.
            with suppress(BrokenPipeError):
                cast(BinaryIO, process.stdin).close()


def byte_code_path(path: str) -> str:
    """Return where the byte code of a source lies. https://peps.python.org/pep-3147"""
    folder, _, name = path.rpartition("/")
    return f"{folder}/__pycache__/{name[: -len('.py')]}.{CACHE_TAG}.pyc"

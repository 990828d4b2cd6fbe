"""Compiles the sources that it is sent: run as a program, by an interpreter without site-packages.

Reads, for each source, the lengths of its path and content (two little-endian 32-bit numbers) and both,
and answers with the length of its .pyc and that; 0 where it is no Python. The .pyc is never checked
against its source (PEP 552): both are in one layer that nothing changes.
"""

import importlib.util
import marshal
import struct
import sys
import warnings
from types import CodeType
from typing import Any, List

UNCHECKED = 0b01


def compile_source(path: str, source: bytes) -> bytes:
    """Return the content of the source's .pyc: its bytes follow from path and source alone."""
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    held: List[Any] = []
    hold(code, held)
    content = marshal.dumps(code)
    return importlib.util.MAGIC_NUMBER + struct.pack("<I", UNCHECKED) + importlib.util.source_hash(source) + content


def hold(value: Any, held: List[Any]) -> None:
    """Refer once more to a value and all in it.

    marshal numbers what is referred to more than once, for later use. A name that this interpreter has
    met elsewhere is, one that it has not met is not; held here, every one is.
    """
    held.append(value)
    if isinstance(value, (tuple, frozenset)):
        for part in value:
            hold(part, held)
    elif isinstance(value, CodeType):
        for name in sorted(dir(value)):
            if name.startswith("co_"):
                hold(getattr(value, name), held)


def main() -> None:
    warnings.simplefilter("ignore")
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        lengths = requests.read(8)
        if len(lengths) < 8:
            return
        path_length, source_length = struct.unpack("<II", lengths)
        path = requests.read(path_length).decode("utf-8", "surrogateescape")
        source = requests.read(source_length)
        try:
            content = compile_source(path, source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            content = b""
        answers.write(struct.pack("<I", len(content)) + content)
        answers.flush()


if __name__ == "__main__":
    main()

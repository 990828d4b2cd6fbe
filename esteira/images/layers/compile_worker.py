"""Compiles the sources that it is sent: run as a program, by an interpreter without site-packages.

Reads, for each source, the lengths of its path and content (two little-endian 32-bit numbers) and both,
and answers with the length of its .pyc and that; 0 where it is no Python. The .pyc is never checked
against its source (PEP 552): both are in one layer that nothing changes.

`marshal.dumps` writes other bytes from run to run and from one Python 3.8 to another: what is referred to
elsewhere in the process is numbered (CPython's marshal.c, w_ref), and a set's values come in the order of
their hashes, that of None being an address. So it is done here: texts are numbered by value, sets are sorted.
Source of the format: CPython 3.8, Python/marshal.c, version 4.
"""

import importlib.util
import signal
import struct
import sys
import warnings
from types import CodeType
from typing import Any, Dict, List

UNCHECKED = 0b01
# On a type's letter: the value gets the next number. It is referred to as `r` and that.
NUMBERED = 0x80
SINGLES = {None: b"N", True: b"T", False: b"F", ...: b"."}
COUNTS = ("co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_nlocals", "co_stacksize", "co_flags")
OBJECTS = ("co_code", "co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_filename", "co_name")


def compile_source(path: str, source: bytes) -> bytes:
    """Return the content of the source's .pyc: its bytes follow from path and source alone."""
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    head = importlib.util.MAGIC_NUMBER + struct.pack("<I", UNCHECKED) + importlib.util.source_hash(source)
    return head + marshalled(code)


def marshalled(code: CodeType) -> bytes:
    """Return what marshal.loads makes an equal code object of."""
    parts: List[bytes] = []
    write(code, parts, {})
    return b"".join(parts)


def write(value: Any, parts: List[bytes], numbers: Dict[str, int]) -> None:
    """Append the bytes of a value; `numbers` has the texts that were written."""
    kind = type(value)
    if kind is str:
        write_text(value, parts, numbers)
    elif kind is int:
        parts.append(b"i" + struct.pack("<i", value) if -(1 << 31) <= value < 1 << 31 else long_bytes(value))
    elif kind is bytes:
        parts.append(b"s" + struct.pack("<i", len(value)) + value)
    elif kind is tuple:
        parts.append(b")" + bytes([len(value)]) if len(value) < 256 else b"(" + struct.pack("<i", len(value)))
        for part in value:
            write(part, parts, numbers)
    elif kind is CodeType:
        write_code(value, parts, numbers)
    elif kind is frozenset:
        parts.append(b">" + struct.pack("<i", len(value)))
        for part in sorted(value, key=alone):
            write(part, parts, numbers)
    elif kind is float:
        parts.append(b"g" + struct.pack("<d", value))
    elif kind is complex:
        parts.append(b"y" + struct.pack("<dd", value.real, value.imag))
    else:
        parts.append(SINGLES[value])


def write_text(text: str, parts: List[bytes], numbers: Dict[str, int]) -> None:
    if text in numbers:
        parts.append(b"r" + struct.pack("<i", numbers[text]))
        return
    numbers[text] = len(numbers)
    content = text.encode("utf-8", "surrogatepass")
    # Names are kept once in a process, as Python's own byte code has it.
    is_name = not text or text.replace("_", "0").isalnum()
    if not text.isascii():
        head = b"u" + struct.pack("<i", len(content))
    elif len(content) < 256:
        head = (b"Z" if is_name else b"z") + bytes([len(content)])
    else:
        head = (b"A" if is_name else b"a") + struct.pack("<i", len(content))
    parts.append(bytes([head[0] | NUMBERED]) + head[1:] + content)


def write_code(code: CodeType, parts: List[bytes], numbers: Dict[str, int]) -> None:
    parts.append(b"c" + struct.pack("<6i", *(getattr(code, name) for name in COUNTS)))
    for name in OBJECTS:
        write(getattr(code, name), parts, numbers)
    parts.append(struct.pack("<i", code.co_firstlineno))
    write(code.co_lnotab, parts, numbers)


def alone(value: Any) -> bytes:
    """Return the bytes of a value by itself, by which those of a set are sorted."""
    parts: List[bytes] = []
    write(value, parts, {})
    return b"".join(parts)


def long_bytes(value: int) -> bytes:
    """Return an integer of more than 32 bits: digits of 15 bits, the number of them negative for one below 0."""
    digits, left = [], abs(value)
    while left:
        digits.append(left & 0x7FFF)
        left >>= 15
    return b"l" + struct.pack(f"<i{len(digits)}H", len(digits) if value > 0 else -len(digits), *digits)


def main() -> None:
    # It ends with its input, and without a word: Ctrl-C is its starter's business, and so is one that went away.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
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

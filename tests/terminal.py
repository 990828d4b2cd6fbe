"""Running a program as on a terminal, of a given width."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path
from typing import Mapping, Sequence

CHUNK_BYTES = 65536
# What a terminal's program may be told by, of the one that the tests run in.
OURS = ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "CI", "COLUMNS", "LINES")


def on_a_terminal(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], columns: int = 120, typed: str = ""
) -> str:
    """Return all that a program writes to its terminal, which is its controlling one; AssertionError if it fails.

    What is typed is there for it from the beginning.
    """
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    os.write(ours, typed.encode("utf-8"))
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command],
        cwd=folder,
        env={**kept, **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    with open(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                chunk = terminal.read(CHUNK_BYTES)
            except OSError:  # what Linux answers once nobody has the other end any more
                break
            if not chunk:
                break
            written += chunk
    text = written.decode("utf-8")
    assert process.wait() == 0, text
    return text

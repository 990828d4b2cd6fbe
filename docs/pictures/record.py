"""Make a picture of what a command writes to a terminal: record.py PICTURE.svg [option] -- COMMAND...

The command really runs, in the current folder, with a terminal of its own; the picture shows what stays on it once
the command has ended. `python docs/pictures/record.py --help` lists the options.
"""

import argparse
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from rich.console import Console
from rich.text import Text

COLUMNS = 100
ROWS = 50
TEMPLATE = Path(__file__).resolve().with_name("terminal.svg.in")
# As wide as the fonts that the template names.
FONT_ASPECT_RATIO = 0.6
# Colours (SGR) are left in the text, for rich to read; every other sequence moves the cursor or erases.
SEQUENCE = re.compile(
    r"\x1b\[([0-9;?]*)([A-Za-ln-z])|\x1b\][^\x07]*\x07|(\r?\n)|(\r)|((?:\x1b\[[0-9;]*m|[^\x1b\r\n])+)"
)
PROMPT = "\x1b[1;32m$\x1b[0m "
CUT = "\x1b[2m⋮\x1b[0m"


def main(arguments: Sequence[str]) -> int:
    """Record a command, write its picture, and return the command's exit status."""
    options = parse(arguments)
    written, status = run_on_terminal(options.command, options.columns)
    shown = trim(screen(written), options.cut, options.leave_out)
    lines = [PROMPT + (options.typed or shlex.join(options.command)), *shown]
    refuse_places(lines)
    options.picture.write_text(draw(lines, options.columns, options.title), encoding="utf-8")
    return status


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(usage="record.py PICTURE.svg [option] -- COMMAND...", description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("command", nargs="+")
    parser.add_argument("--columns", type=int, default=COLUMNS, help="width of the terminal")
    parser.add_argument("--cut", metavar="PATTERN", help="show ⋮ for each row of lines in which this is found")
    parser.add_argument("--leave-out", metavar="PATTERN", help="leave out the lines in which this is found")
    parser.add_argument("--title", default="", help="what stands in the window's bar")
    parser.add_argument("--typed", help="what stands behind the prompt, where it is not the command itself")
    return parser.parse_args(arguments)


def run_on_terminal(command: Sequence[str], columns: int) -> Tuple[str, int]:
    """Return what a command writes to a terminal of `columns`, and its exit status. It is shown here meanwhile."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        environ.pop(name, None)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True)
    os.close(theirs)
    written = bytearray()
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux says so when nobody holds the other end any more.
            break
        if not chunk:
            break
        written += chunk
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    os.close(ours)
    return written.decode("utf-8", "replace"), process.wait()


def screen(written: str) -> List[str]:
    """Return the lines that are left on a terminal, with their colours, once progress has been drawn and erased."""
    lines, row, at_start = [""], 0, True
    for parameters, letter, newline, back, text in (match.groups() for match in SEQUENCE.finditer(written)):
        if text:
            # A line that is begun again is written anew: nothing here overwrites a part of one.
            lines[row] = text if at_start else lines[row] + text
            at_start = False
        elif newline:
            row, at_start = row + 1, True
            lines.extend([""] * (row + 1 - len(lines)))
        elif back:
            at_start = True
        elif letter == "A":
            row = max(0, row - int(parameters or 1))
        elif letter == "K":
            lines[row] = ""
    while lines and not Text.from_ansi(lines[-1]).plain.strip():
        lines.pop()
    return lines


def trim(lines: Sequence[str], cut: Optional[str], left_out: Optional[str]) -> List[str]:
    """Return lines without those that match `left_out`; a row of those that match `cut` is one ⋮."""
    kept: List[str] = []
    for line in lines:
        text = Text.from_ansi(line).plain
        if left_out and re.search(left_out, text):
            continue
        if not (cut and re.search(cut, text)):
            kept.append(line)
        elif kept[-1:] != [CUT]:
            kept.append(CUT)
    return kept


def refuse_places(lines: Sequence[str]) -> None:
    """SystemExit if a picture would show where this repository or its environment lies on this machine."""
    text = "\n".join(Text.from_ansi(line).plain for line in lines)
    for place in (str(Path(__file__).resolve().parents[2]), os.environ.get("ESTEIRA_VENV", "")):
        if place and place in text:
            raise SystemExit(f"The picture would show {place}. Record in a clone elsewhere, such as /home/you/esteira")


def draw(lines: Sequence[str], columns: int, title: str) -> str:
    """Return an SVG of lines with colours; longer ones go on in the next, as on a terminal."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=columns, file=nowhere, force_terminal=True, color_system="truecolor")
        for line in lines:
            text = Text.from_ansi(line)
            for piece in list(text.divide(range(columns, len(text), columns))):
                console.print(piece, no_wrap=True, overflow="ignore", crop=False)
        template = TEMPLATE.read_text(encoding="utf-8")
        return console.export_svg(title=title, code_format=template, font_aspect_ratio=FONT_ASPECT_RATIO, unique_id="t")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

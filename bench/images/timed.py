"""Running a command with a clock, and with the kernel's account of its processes."""

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence

from esteira.process import TAIL_LINES, quote_command


@dataclass(frozen=True)
class Timed:
    """A command that ended well: its wall and CPU time, the memory of its largest process, and its lines.

    CPU and memory are of the command and of what it started and waited for: nothing of a daemon. `mark_s`
    is when the line came that begins with the mark, None if none did.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    lines: List[str]
    mark_s: Optional[float] = None


def run_timed(
    command: Sequence[str], log: Path, *, environ: Mapping[str, str], cwd: Optional[Path] = None, mark: str = ""
) -> Timed:
    """Run a command to its end, its output kept in a log too. Leaves the bench if it fails."""
    lines, mark_s, started_s = [], None, time.monotonic()
    with log.open("a", encoding="utf-8") as kept:
        kept.write(f"$ {quote_command(command)}\n")
        kept.flush()
        process = subprocess.Popen(
            list(command), cwd=cwd, env=dict(environ), stdout=subprocess.PIPE, stderr=kept, text=True
        )
        try:
            assert process.stdout
            for line in process.stdout:
                if mark and mark_s is None and line.startswith(mark):
                    mark_s = time.monotonic() - started_s
                lines.append(line.rstrip("\n"))
                kept.write(line)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
    wall_s = time.monotonic() - started_s
    if process.returncode:
        raise SystemExit(f"{quote_command(command)}\nleft with status {process.returncode}:\n{tail(log)}")
    return Timed(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, lines, mark_s)


def tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:])


def environment(**more: str) -> Dict[str, str]:
    """Return this process's variables without settings of Esteira's, and with some more."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESTEIRA_")}
    return {**kept, **more}


def median(values: Iterable[float]) -> float:
    return statistics.median(list(values))

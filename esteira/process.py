"""The one way in which Esteira runs other programs and gets their output."""

import shlex
import subprocess
from pathlib import Path
from typing import Mapping, Optional, Sequence

from esteira.errors import ProgramError

TAIL_LINES = 20


def quote_command(arguments: Sequence[str]) -> str:
    """Return the command as one can type it into a shell."""
    return " ".join(shlex.quote(argument) for argument in arguments)


def run_program(
    arguments: Sequence[str],
    *,
    cwd: Optional[Path] = None,
    env: Optional[Mapping[str, str]] = None,
    input_text: Optional[str] = None,
    timeout_s: float = 600,
    install_hint: str = "",
) -> str:
    """Run a program to its end and return what it wrote to standard output.

    Raises ProgramError, with the command, its status and the tail of its output,
    if the program is missing, exits non-zero or runs longer than `timeout_s`.
    """
    command = quote_command(arguments)
    try:
        completed = subprocess.run(
            list(arguments),
            cwd=cwd,
            env=None if env is None else dict(env),
            input=input_text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except (FileNotFoundError, PermissionError) as error:
        # The latter too where no folder has the program, and one of them is closed to this user.
        allowed = " that this user may run" if isinstance(error, PermissionError) else ""
        hint = install_hint or f"Install {arguments[0]} and try again."
        raise ProgramError(f"{arguments[0]}: no such program on the PATH{allowed}.\n{hint}") from None
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{command}\ntook longer than {timeout_s:g} s.") from None
    if completed.returncode != 0:
        output = (completed.stderr.strip() or completed.stdout.strip()).splitlines()
        tail = "\n".join(output[-TAIL_LINES:])
        raise ProgramError(f"{command}\nleft with status {completed.returncode}:\n{tail}")
    return completed.stdout

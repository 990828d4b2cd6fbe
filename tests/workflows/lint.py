"""Lints GitHub's files: by schema, actionlint with shellcheck, zizmor, and what this repository asks of them.

Usage: python -m tests.workflows.lint [FILE...]    without a file all of .github/
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, List, Sequence

from tests.workflows.lint_rules import broken_rules
from tests.workflows.lint_schema import schema_faults

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
LIMIT_S = 120.0


def main(arguments: List[str]) -> int:
    """Print what is wrong, and return 1 if anything is."""
    paths = [Path(argument).absolute() for argument in arguments] or files_of(REPOSITORY)
    found = lint(paths)
    if found:
        print("\n".join(found), file=sys.stderr)
        return 1
    print(f"{len(paths)} files of GitHub's are as they should be.")
    return 0


def files_of(root: Path) -> List[Path]:
    """Return the workflows and Dependabot's settings below a folder."""
    folder = root / ".github"
    return sorted(path for glob in ("workflows/*.y*ml", "dependabot.y*ml") for path in folder.glob(glob))


def lint(paths: Sequence[Path]) -> List[str]:
    """Return what each judge has found, with file and line."""
    workflows = [path for path in paths if not path.name.startswith("dependabot")]
    judges: List[Callable[[], List[str]]] = [
        lambda: schema_faults(paths),
        lambda: broken_rules(workflows),
    ]
    if workflows:
        shellcheck = ["-shellcheck", str(PROGRAMS / "shellcheck"), "-pyflakes", ""]
        judges += [
            lambda: said([*program("actionlint", "-oneline", *shellcheck), *map(str, workflows)]),
            lambda: said([*program("zizmor", "--offline", "--quiet", "--persona", "auditor"), *map(str, workflows)]),
        ]
    with ThreadPoolExecutor() as pool:
        return [line for lines in pool.map(lambda judge: judge(), judges) for line in lines]


def program(name: str, *arguments: str) -> List[str]:
    return [str(PROGRAMS / name), *arguments]


def said(command: List[str]) -> List[str]:
    """Return what a program has printed, headed by its name, if it left with an error; nothing if all is well."""
    environ = {key: value for key, value in os.environ.items() if key not in ("GH_TOKEN", "GITHUB_ACTIONS")}
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**environ, "NO_COLOR": "1", "RUST_BACKTRACE": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT_S,
    )
    name, text = Path(command[0]).name, done.stdout.strip() or done.stderr.strip() or "left with an error"
    return [f"{name}: {line}" for line in text.splitlines() if line.strip()] if done.returncode else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

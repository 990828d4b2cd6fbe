"""The tests, with each line of the engine counted that they run, in every process that they start.

Usage: python -m tests.coverage_run [PYTEST_ARGUMENT...]      from the repository's top folder
What came of it is printed, and written to build/coverage.json and, as Markdown, to build/coverage.md.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Dict, List, Tuple

import coverage

REPOSITORY = Path(__file__).resolve().parent.parent
BUILD = REPOSITORY / "build"
WORK = BUILD / "coverage"
# Python reads this at its start. Most programs that tests start run in the environment without the tests' tools, and
# some of them end by os._exit, which runs nothing that was to be run at the end.
START = """\
import os, sys
if sys.version_info[:2] == (3, 8):
    import coverage
    coverage.process_startup()
    measured, leave = getattr(coverage.process_startup, "coverage", None), os._exit
    def save_and_leave(status):
        if measured:
            measured.stop()
            measured.save()
        leave(status)
    os._exit = save_and_leave
"""
SETTINGS = """\
[run]
data_file = {work}/data/lines
parallel = true
concurrency = thread,multiprocessing
include = */esteira/**
omit = */site-packages/**
disable_warnings = no-data-collected,module-not-measured,trace-changed,already-imported,couldnt-parse,no-ctracer
[paths]
engine =
    {repository}/esteira
    */esteira
"""
Lines = Dict[str, Tuple[int, int]]


def main(arguments: List[str]) -> int:
    """Return pytest's exit status."""
    status = subprocess.run([sys.executable, "-m", "pytest", *arguments], env=prepared(), check=False).returncode
    lines = by_folder(count())
    text = markdown(lines)
    (BUILD / "coverage.md").write_text(text, encoding="utf-8")
    print(f"\n{text}")
    return status


def prepared() -> Dict[str, str]:
    """Empty the folder of what was counted; return the environment in which Python counts."""
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "data").mkdir(parents=True)
    (WORK / "start").mkdir()
    (WORK / "start" / "sitecustomize.py").write_text(START, encoding="utf-8")
    (WORK / "start" / "coverage").symlink_to(Path(coverage.__file__).parent)
    settings = WORK / "settings"
    settings.write_text(SETTINGS.format(work=WORK, repository=REPOSITORY), encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(WORK / "start"), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "COVERAGE_PROCESS_START": str(settings)}


def count() -> Lines:
    """Return, of each file of the engine, how many lines were run, and how many there are."""
    counter = coverage.Coverage(config_file=str(WORK / "settings"))
    counter.combine()
    engine = sorted((REPOSITORY / "esteira").rglob("*.py"))
    counter.get_data().touch_files([str(path) for path in engine])
    counter.json_report(outfile=str(BUILD / "coverage.json"), include=[f"{REPOSITORY}/esteira/**"], ignore_errors=True)
    files = json.loads((BUILD / "coverage.json").read_text(encoding="utf-8"))["files"]
    return {name: (file["summary"]["covered_lines"], file["summary"]["num_statements"]) for name, file in files.items()}


def by_folder(files: Lines) -> Lines:
    """Return the same by the folders right below esteira/, the files there among them under its own name."""
    folders: Dict[str, List[int]] = defaultdict(lambda: [0, 0])
    for name, numbers in files.items():
        parts = Path(name).parts
        for total, number in enumerate(numbers):
            folders["/".join(parts[:2]) if len(parts) > 2 else parts[0]][total] += number
    return {name: (run, lines) for name, (run, lines) in sorted(folders.items())}


def markdown(folders: Lines) -> str:
    run, lines = (sum(numbers) for numbers in zip(*folders.values()))
    rows = "".join(f"| `{name}` | {share(*numbers)} | {numbers[1]} |\n" for name, numbers in folders.items())
    head = f"### Coverage: {share(run, lines)} of the engine's {lines} lines\n\n"
    return f"{head}| folder | run by the tests | lines |\n| --- | ---: | ---: |\n{rows}"


def share(run: int, lines: int) -> str:
    """Return a percentage with one digit, never rounded up to all of them."""
    return f"{1000 * run // lines / 10 if lines else 100:.1f} %"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

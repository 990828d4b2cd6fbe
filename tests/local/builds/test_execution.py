"""What happens to a build when somebody ends it, seen from outside: it runs as a program of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

pytestmark = pytest.mark.programs

PROGRAM = """
import sys
from pathlib import Path
from esteira.local.builds.run import run_build
from esteira.progress import Progress
from esteira.settings import load_settings
from esteira.source import frozen_source

root = Path(sys.argv[1])
settings = load_settings(root, {}, {})
with Progress([]) as report, frozen_source(root, settings.state) as source:
    result = run_build(root / "build.yaml", settings=settings, source=source,
                       substitutions={"_BUILDER": "esteira/builder"}, report=report)
print("STATE", result.state, [step.state for step in result.steps])
"""
BUILD = """
substitutions: {_BUILDER: ""}
steps:
- {id: a, name: $_BUILDER, waitFor: ["-"], script: "sleep 621 & echo pid $! $$; wait"}
- {id: b, name: $_BUILDER, waitFor: ["-"], script: "setsid sleep 622 & echo pid $! $$; sleep 623"}
- {id: never, name: $_BUILDER, script: "true"}
"""


@pytest.fixture
def running(repository: Path) -> Iterator[Tuple["subprocess.Popen[str]", List[str]]]:
    """Start a build of two steps that would sleep for long; yield it and all their processes."""
    (repository / "build.yaml").write_text(BUILD)
    checkout = Path(__file__).resolve().parents[3]
    build = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(repository)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(checkout), "PYTHONUNBUFFERED": "1"},
    )
    pids: List[str] = []
    assert build.stdout
    while len(pids) < 4:
        line = build.stdout.readline()
        assert line, "the build ended too early"
        if ": pid " in line:
            pids += line.split()[2:]
    yield build, pids
    build.kill()
    build.communicate()


def alive(pids: List[str]) -> List[str]:
    """Return the processes that still run, once those that are being ended had time to."""
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        left = [pid for pid in pids if is_running(pid)]
        if not left:
            return []
        time.sleep(0.05)
    return left


def is_running(pid: str) -> bool:
    """Tell whether a process is there and no zombie, which some init processes never collect."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_build_leaves_nothing_running(
    running: Tuple["subprocess.Popen[str]", List[str]], repository: Path, number: int
) -> None:
    build, pids = running
    build.send_signal(number)
    output, _ = build.communicate(timeout=60)
    assert output.splitlines()[-1] == "STATE cancelled ['cancelled', 'cancelled', 'skipped']"
    assert alive(pids) == []
    assert list((repository / ".esteira" / "builds").iterdir()) == []


def test_a_killed_build_takes_its_steps_with_it(running: Tuple["subprocess.Popen[str]", List[str]]) -> None:
    build, pids = running
    build.kill()
    build.wait()
    assert alive(pids) == []

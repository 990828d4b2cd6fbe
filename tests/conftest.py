"""What every test shares: the guard against stray programs and sockets, and settings in a folder of its own."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import pytest
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

from esteira.settings import Settings, load_settings

REPOSITORY = Path(__file__).resolve().parent.parent
SLOW_S = 10
# Set before TensorFlow is imported anywhere, so that its start-up lines don't drown a test's output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# google-auth reads it once, when it is imported: no test asks whether this is one of Google's machines.
os.environ["NO_GCE_CHECK"] = "true"
# A shell that starts the tests in the background has them ignore Ctrl-C, and so what they start and interrupt.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, handler)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name the tests that make test-fast should leave out and does not, as they lack the mark."""
    reports = [report for name in ("", "passed", "failed") for report in terminalreporter.stats.get(name, [])]
    for report in reports:
        if report.duration > SLOW_S and "slow" not in report.keywords:
            told = f"{report.nodeid}: {report.when} took {report.duration:.0f} s, and is not marked slow"
            terminalreporter.write_line(told)


@pytest.fixture(autouse=True)
def guard(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make a program or a connection that a test did not declare an error."""
    marks = {mark.name for mark in request.node.iter_markers()}
    if "programs" not in marks:
        monkeypatch.setattr(subprocess, "Popen", refuse_program)
        monkeypatch.setattr(os, "posix_spawn", refuse_program)
        monkeypatch.setattr(os, "system", refuse_program)
    if "loopback" in marks:
        socket_allow_hosts(["127.0.0.1", "localhost"], allow_unix_socket=True)
    else:
        disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


def refuse_program(*arguments: Any, **options: Any) -> None:
    raise AssertionError(f"a test without @pytest.mark.programs started {arguments[:1]}")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no ESTEIRA_ variable and no make of the person who runs them."""
    for name in list(os.environ):
        if name.startswith("ESTEIRA_") or name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
            monkeypatch.delenv(name)


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Return a function that makes settings of the repository at `root`, their state below tmp_path."""

    def make(root: Path = REPOSITORY, env: str = "local", **flags: str) -> Settings:
        environ: Dict[str, str] = {"ESTEIRA_STATE": str(tmp_path / "state"), "ESTEIRA_ENV": env}
        return load_settings(root, environ, {key.replace("__", "."): value for key, value in flags.items()})

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings()

"""Run a Cloud Build file on this machine, with Cloud Build's meaning."""

import os
import secrets
import time
from pathlib import Path
from typing import Dict, Mapping, Optional

from esteira.errors import BuildError
from esteira.files import telling_os_errors
from esteira.local.builds.execution import Execution
from esteira.local.builds.plan import Build, built_in_substitutions, read_build
from esteira.local.builds.result import BuildResult
from esteira.local.builds.workspace import claim_folder, drop_folder, fill_workspace, keep_only
from esteira.progress import Progress
from esteira.settings import Settings
from esteira.source import Source, repository_name

SOURCE = "source"


def run_build(
    build_file: Path,
    *,
    settings: Settings,
    source: Source,
    substitutions: Dict[str, str],
    report: Progress,
    build_id: Optional[str] = None,
) -> BuildResult:
    """Run a build file's steps in a workspace of their own and return how they ended.

    Raises BuildError, before anything runs, for a file that Cloud Build would refuse or that asks for
    what this machine cannot do; StateError if the state folder cannot be written. A failed, cancelled
    or too long build is no error here: see BuildResult.state and BuildResult.explain().
    """
    build_id = build_id or new_build_id()
    text = read_text(build_file)
    built_in = built_in_substitutions(source, repository_name(source.root), build_id)
    build = read_build(text, build_file.name, substitutions, built_in)
    check_secrets(build, os.environ)
    logs = settings.state / "logs" / "builds" / build_id
    with telling_os_errors("make the log folder", logs):
        logs.mkdir(parents=True, exist_ok=True)
    with claim_folder(settings, build_id) as folder:
        result = None
        try:
            for line in fill_workspace(folder / "workspace", source):
                report.line(SOURCE, line)
            result = execute(build, build_id, folder, logs, settings, report)
        finally:
            if result is None or result.workspace is None:
                drop_folder(folder)
    if result.workspace:
        keep_only(folder)
    return result


def execute(build: Build, build_id: str, folder: Path, logs: Path, settings: Settings, report: Progress) -> BuildResult:
    """Run the steps; a failed build's workspace stays, for a look at what it made."""
    execution = Execution(build, folder, logs, settings.state, os.environ, report)
    state = execution.run()
    workspace = folder / "workspace" if state in ("failed", "timed_out") else None
    return BuildResult(build_id, state, execution.results(), workspace)


def check_secrets(build: Build, environ: Mapping[str, str]) -> None:
    """Raise BuildError for secrets that Secret Manager has and this machine lacks."""
    missing = sorted({name for step in build.steps for name in step.secrets if name not in environ})
    if missing:
        raise BuildError(
            f"build.secrets: {', '.join(missing)}: not set here, where Secret Manager is not asked.\n"
            "Expected a variable of that name. Nothing was run. Set it and run the command again."
        )


def new_build_id() -> str:
    """Return an id that no other build has, and that sorts by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(4)}"


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BuildError(f"{path}: there is no such build file. Run: make generate") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"{path}: cannot be read: {error}. Run: make generate") from None

"""A deploy: the generated build, run for the source that is here, and its summary."""

import json
import os
from pathlib import Path
from typing import Dict, Mapping, Optional

from rich.console import Console

from esteira.builds.render import render_build
from esteira.errors import BuildError, DataError
from esteira.files import write_text
from esteira.jobs.verdict import evaluation_table
from esteira.local.builds.result import BuildResult
from esteira.local.builds.run import run_build
from esteira.local.builds.source import Source, read_source
from esteira.local.builds.support import LOCAL_BUILDER
from esteira.progress import Progress
from esteira.release.manifest import MANIFEST, Outcome, current_outcome, release_folder
from esteira.settings import Settings

TEMPLATE = "full.yaml.j2"
# Rendered for each deploy apart from the committed file, which a setting given for one deploy must not change.
BUILD_FILE = "cloudbuild/full.yaml"


def deploy_full(settings: Settings, data: Optional[str], overrides: Mapping[str, str]) -> Outcome:
    """Render the full build, run it here and return what is served after it.

    `data` is the path of a user's CSV; `overrides` are the settings given on the
    command line, as "section.key". Raises BuildError if a step failed.
    """
    csv = absolute_csv(data)
    build_file = settings.folder.parents[1] / BUILD_FILE
    source = read_source(settings.root, without=csv)
    substitutions = {
        "_BUILDER": LOCAL_BUILDER,
        "_ENV": settings.selected,
        "_DATA": csv,
        "_SETTINGS": json.dumps(dict(overrides), sort_keys=True) if overrides else "",
        "_COMMIT": source.commit + ("-dirty" if source.is_dirty else ""),
    }
    write_text(build_file, render_build(TEMPLATE, settings))
    check_build(run_here(settings, build_file, source, substitutions))
    return current_outcome(settings)


def absolute_csv(data: Optional[str]) -> str:
    """Return the CSV's absolute path, as the build runs in a folder of its own."""
    if not data:
        return ""
    path = Path(os.path.expanduser(data)).absolute()
    if not path.is_file():
        raise DataError(
            f"DATA={data}: no such file. Expected the path of a CSV: make deploy-full DATA=file.csv"
        )
    return str(path)


def run_here(settings: Settings, build_file: Path, source: Source, substitutions: Dict[str, str]) -> BuildResult:
    with Progress([]) as report:
        return run_build(
            build_file, settings=settings, source=source, substitutions=substitutions, report=report
        )


def check_build(result: BuildResult) -> None:
    """Raise BuildError, or KeyboardInterrupt after Ctrl-C, unless the build succeeded.

    The error leaves with the exit code of the step that failed, so that a model that is not
    blessed can be told from a data set that cannot be read.
    """
    if result.state == "cancelled":
        raise KeyboardInterrupt
    if not result.succeeded:
        error = BuildError(
            f"{result.explain()}\n"
            "Nothing was promoted: what was served before still is. "
            "Mend it and run: make deploy-full    Finished tasks are not run again."
        )
        error.exit_code = next((step.status for step in result.steps if step.status), BuildError.exit_code)
        raise error


def print_summary(settings: Settings, outcome: Outcome, console: Console) -> None:
    """Print what is deployed, its metrics, where things lie and what to type next."""
    manifest = release_folder(settings, outcome.release) / MANIFEST
    console.print(f"\n[bold green]Deployed[/] release [bold]{outcome.release}[/] to {settings.selected}\n")
    console.print(evaluation_table(outcome.evaluation))
    # As text, since a folder's name may hold what looks like markup.
    console.print(f"\nmodel    {outcome.model}\nrelease  {manifest}\nlogs     {outcome.logs}\n", markup=False)
    console.print('Next:\n  make predict TEXT="I love this film"\n  make serve\n  make tune')

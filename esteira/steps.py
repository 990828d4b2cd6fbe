"""The steps of the generated build, each a function that hands its result on in a file below build/."""

from pathlib import Path
from typing import Optional

from rich.console import Console

from esteira.data.prepare import prepare_data
from esteira.errors import StateError
from esteira.files import write_json
from esteira.jobs.compile import compile_job
from esteira.release.digest import digest_file
from esteira.release.manifest import (
    JOB,
    MANIFEST,
    OUTCOME,
    Outcome,
    Release,
    make_release,
    promote,
    read_outcome,
    read_release,
    release_folder,
    write_model,
)
from esteira.release.parts import Part, image_part, lay_parts, read_parts, write_parts
from esteira.release.store import lay_down
from esteira.settings import Settings

DATA = "data"
PARTS = "parts.json"
RELEASE = "release"


def build_folder(settings: Settings) -> Path:
    return settings.root / "build"


def data_step(settings: Settings, csv_path: Optional[Path]) -> str:
    """Prepare the default data set, or the CSV given as DATA=, under build/data; return what it holds."""
    prepared = prepare_data(settings, build_folder(settings) / DATA, csv_path)
    labels = ", ".join(f"{label} {sum(rows):,}" for label, rows in prepared.label_rows.items())
    return (
        f"{prepared.train_rows:,} rows to train on, {prepared.eval_rows:,} to evaluate on ({labels}); "
        f"dropped {prepared.blank_rows:,} blank and {prepared.duplicate_rows:,} repeated"
    )


def sync_step(settings: Settings) -> None:
    """Lay data, modules and hyperparameters down in the bucket."""
    build = build_folder(settings)
    write_parts(build / PARTS, lay_parts(settings, build / DATA))


def compile_step(settings: Settings) -> None:
    """Compile the pipeline to build/job.json."""
    compile_job(settings, build_folder(settings) / JOB)


def release_step(settings: Settings, commit: str) -> Release:
    """Bind the compiled job to the parts, and lay the release down in the bucket.

    `commit` ends in "-dirty" where the source held uncommitted changes, as
    `git describe --dirty` has it.
    """
    from esteira.jobs.run import bind_release

    build = build_folder(settings)
    parts = read_parts(build / PARTS)
    parts["image"] = image_part(settings.root)
    compiled = build / JOB
    parts["job"] = Part(digest=digest_file(compiled))
    release = make_release(settings, commit, parts)
    job = bind_release(settings, release, compiled)
    write_model(build / RELEASE / MANIFEST, release)
    write_json(build / RELEASE / JOB, job)
    lay_down(
        release_folder(settings, release.id), [(name, build / RELEASE / name) for name in (MANIFEST, JOB)]
    )
    return release


def run_step(settings: Settings, console: Console) -> Outcome:
    """Run the release's job; NotBlessedError, with the figures, if its model did not pass the gate."""
    from esteira.jobs.run import run_release
    from esteira.jobs.verdict import check_blessed, evaluation_table

    build = build_folder(settings)
    release = read_release(build / RELEASE / MANIFEST)
    outcome = run_release(settings, release.id, build / RELEASE / JOB)
    write_model(build / OUTCOME, outcome)
    console.print(evaluation_table(outcome.evaluation))
    check_blessed(outcome.evaluation)
    return outcome


def smoke_step(settings: Settings, console: Console) -> None:
    """Serve the pushed model and ask it over HTTP; ServingError if an answer is wrong."""
    from esteira.serving.smoke import smoke_test

    outcome = read_blessed(settings)
    result = smoke_test(Path(outcome.model), settings=settings)
    for check in result.checks:
        console.print(f"✓ {check.name}: {check.observed}")


def promote_step(settings: Settings) -> Outcome:
    """Move `current` to the release that was run and smoke-tested."""
    outcome = read_blessed(settings)
    promote(settings, outcome)
    return outcome


def read_blessed(settings: Settings) -> Outcome:
    """Return the outcome of the last run, if it is the last release's and its model is blessed."""
    from esteira.jobs.verdict import check_blessed

    build = build_folder(settings)
    release, outcome = read_release(build / RELEASE / MANIFEST), read_outcome(build / OUTCOME)
    if outcome.release != release.id:
        raise StateError(
            f"{build / OUTCOME}: is of release {outcome.release}, but the last one is {release.id}. "
            "Run: .venv/bin/inv run"
        )
    check_blessed(outcome.evaluation)
    return outcome

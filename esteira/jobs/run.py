"""Running a release's job and keeping what it came to."""

import json
import time
from pathlib import Path
from typing import Any, Dict

from esteira.jobs.bind import bind_job, read_job
from esteira.jobs.verdict import pushed_model, read_evaluation
from esteira.local.jobs.run import run_job
from esteira.progress import Progress
from esteira.release.manifest import Outcome, Release
from esteira.release.parts import BUNDLE
from esteira.settings import Settings

METADATA_STORE = "projects/local/locations/local/metadataStores/default"


def bind_release(settings: Settings, release: Release, compiled: Path) -> Dict[str, Any]:
    """Return the compiled job bound to the release's parts and the environment's places."""
    uris = {name: part.uri for name, part in release.parts.items()}
    return bind_job(
        read_job(compiled),
        image=f"local@{release.parts['image'].digest}",
        pipeline_root=f"{settings.bucket}/root",
        parameters={
            "data_uri": uris["data"],
            "schema_uri": f"{uris['data']}/schema",
            "modules_uri": f"{uris['modules']}/{BUNDLE}",
            "hyperparameters_uri": uris["hyperparameters"],
            "push_destination": json.dumps({"filesystem": {"base_directory": f"{settings.bucket}/serving"}}),
        },
        labels={"release": release.id},
        metadata_store=METADATA_STORE,
    )


def run_release(settings: Settings, release_id: str, job: Path) -> Outcome:
    """Run a bound job here and return its outcome; JobError if a task failed."""
    bound = read_job(job)
    tasks = bound["pipelineSpec"]["root"]["dag"]["tasks"]
    run_id = f"{release_id}-{time.strftime('%Y%m%dT%H%M%S')}"
    with Progress(list(tasks)) as report:
        result = run_job(bound, settings=settings, run_id=run_id, report=report)
    result.require_success()
    evaluation = read_evaluation(result)
    return Outcome(
        release=release_id,
        run=run_id,
        blessed=evaluation["blessed"],
        evaluation=evaluation,
        model=pushed_model(result) if evaluation["blessed"] else "",
        logs=str(settings.state / "logs" / "runs" / run_id),
    )

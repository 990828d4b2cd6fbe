"""A deploy as the product does it, in this process: of its build only compiling and running are stood in for.

The image's base is out of reach, as on a machine without a network.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, Mapping, Optional
from unittest.mock import patch

from esteira.clock import now
from esteira.deploy.run import deploy_here
from esteira.files import write_json
from esteira.images.registry.refusals import UnreachableError
from esteira.jobs.compile import IMAGE
from esteira.local.builds.result import BuildResult
from esteira.local.builds.workspace import fill_workspace
from esteira.release.digest import digest_files, files_below
from esteira.release.history import keep_outcome
from esteira.release.lease import Lease
from esteira.release.manifest import Outcome, Release
from esteira.release.order import Order
from esteira.release.store import open_store
from esteira.settings import Settings, load_settings
from esteira.source import Source
from esteira.steps import compile_step, data_step, image_step, promote_step, release_step, sync_step
from tests.release.checkout import Checkout

# Those that a release binds a job by.
PARAMETERS = ("data_uri", "schema_uri", "modules_uri", "hyperparameters_uri", "push_destination")


def deploy(checkout: Checkout, csv: Path, *, force: bool = False) -> Optional[Release]:
    """Deploy what is in the checkout on a CSV; return the release that is served, None if none was needed."""
    given = {"data.file": str(csv)}
    settings = checkout.settings(data__file=str(csv))
    with ExitStack() as stood_in:
        stood_in.enter_context(patch("esteira.deploy.run.run_here", run_steps))
        stood_in.enter_context(patch("esteira.steps.compile_job", write_job))
        stood_in.enter_context(patch("esteira.images.part.make_image", reach_no_base))
        return deploy_here(settings, "auto", overrides=given, force=force, say=print)


def reach_no_base(*arguments: Any, **options: Any) -> None:
    raise UnreachableError("docker.io cannot be reached")


def run_steps(
    settings: Settings, order: Order, source: Source, overrides: Mapping[str, str], lease: Lease
) -> BuildResult:
    """Do what the build of the order's kind does, in a workspace of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "workspace"
        fill_workspace(root, source)
        there = load_settings(root, {"ESTEIRA_STATE": str(settings.state)}, overrides)
        data_step(there, order)
        sync_step(there, order)
        if order.kind == "full":
            compile_step(there, order)
            image_step(there, order, {}, print)
        release = release_step(there, order)
        keep_outcome(open_store(there), release.id, Outcome(run="run", at=now(), blessed=True))
        promote_step(there, order)
    return BuildResult("build", "succeeded")


def write_job(settings: Settings, path: Path) -> None:
    """Write a job that differs where the pipeline's code or its settings do, as a compiled one does."""
    code = digest_files(files_below(settings.root / "pipeline"))
    parameters = {name: {"type": "STRING"} for name in PARAMETERS}
    spec: Dict[str, Any] = {
        "pipelineInfo": {"name": settings.pipeline.name},
        "root": {"inputDefinitions": {"parameters": parameters}},
        "deploymentSpec": {"executors": {"Trainer": {"container": {"image": IMAGE, "args": [code]}}}},
    }
    write_json(path, {"pipelineSpec": spec, "training": settings.training.dict(), "gate": settings.gate.dict()})

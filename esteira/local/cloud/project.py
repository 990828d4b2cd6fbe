"""A Google Cloud project on this machine: every service that a deploy talks to, in one scene.

Objects lie in the real bucket server, images in the real registry; builds run their steps, jobs their tasks and
endpoints their models for real. What Google's own servers keep is kept in memory.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Mapping
from urllib.parse import quote

from esteira.google.api import Api, Json
from esteira.images.registry.hosts import REGISTRY_AT
from esteira.local.cloud import logs, pipelines, schedules, storage
from esteira.local.cloud.bucket import serve_buckets
from esteira.local.cloud.builds import Builds
from esteira.local.cloud.contents import Contents
from esteira.local.cloud.execute import execute_job
from esteira.local.cloud.logs import Logs
from esteira.local.cloud.pipelines import PROJECT_NUMBER, Pipelines
from esteira.local.cloud.registry import serve_registry
from esteira.local.cloud.server import StandIn, served
from esteira.local.cloud.storage import Buckets
from esteira.release.store.cloud import CloudStore
from esteira.settings import Settings


@dataclass(frozen=True)
class Project:
    """The stand-ins, with what they keep; `variables` lead gcloud and the engine to them."""

    stand_in: StandIn
    builds: Builds
    pipelines: Pipelines
    buckets: Buckets
    logs: Logs
    variables: Dict[str, str]


@contextmanager
def served_project(
    settings: Settings, folder: Path, environ: Mapping[str, str], registries: Mapping[str, str] = {}
) -> Iterator[Project]:
    """Serve the project of the chosen environment until the end of the block; it is empty.

    `folder` keeps images, the cache of runs and logs for the next time. Raises ProgramError if a server is missing.
    """
    place = settings.environment
    host = f"{place.region}-docker.pkg.dev"
    with serve_buckets(settings.state, environ) as bucket_url, serve_registry(folder / "registry") as registry:
        contents = Contents(bucket_url)
        stand_in = StandIn()
        kept = Logs(place.project)
        buckets = Buckets(contents, place.project, PROJECT_NUMBER)
        with served(stand_in):
            asked = [f"{name}={address}" for name, address in {host: registry, **registries}.items()]
            variables = {
                **stand_in.variables(),
                REGISTRY_AT: ",".join(asked),
                "CLOUDSDK_CONFIG": str(folder / "gcloud"),
                "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            }
            steps = {**environ, **variables}
            builds = Builds(folder / "builds", lambda b, o: fetch(contents, b, o), writing(kept), steps)
            jobs = Pipelines(lambda job: run(settings, folder, variables, kept, job))
            stand_in.add(storage.handlers(buckets))
            stand_in.paths.update(storage.paths(buckets))
            for handlers in (builds.handlers(), pipelines.handlers(jobs), logs.handlers(kept)):
                stand_in.add(handlers)
            stand_in.add(schedules.handlers(schedules.Schedules(jobs)))
            yield Project(stand_in, builds, jobs, buckets, kept, variables)
            builds.wait()


def run(
    settings: Settings, folder: Path, variables: Mapping[str, str], kept: Logs, job: Json
) -> Iterator[List[Json]]:
    """Run a posted job on this machine."""
    place = settings.environment
    store = CloudStore(place, settings.pipeline.name, Api(place.project, place.region, variables))
    home = settings.copy(update={"state": folder / "vertex"})
    return execute_job(job, settings=home, store=store, folder=folder / "vertex" / "bucket", log=kept.add_task_line)


def fetch(contents: Contents, bucket: str, name: str) -> bytes:
    return contents.ask("GET", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media", b"", {}).content


def writing(kept: Logs):  # type: ignore[no-untyped-def]
    def write(build: str, text: str) -> None:
        kept.add("build", {"build_id": build}, text, log="cloudbuild")

    return write

"""A Google Cloud project on this machine: every service that a deploy talks to, in one scene.

Objects lie in the real bucket server, images in the real registry; builds run their steps, jobs their tasks and
endpoints their models for real. What Google's own servers keep is kept in memory.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, NoReturn, Optional
from urllib.parse import quote, urlsplit

from esteira.google.api import Api, Json
from esteira.images.registry.hosts import REGISTRY_AT
from esteira.local.cloud import described, logs, pipelines, schedules, storage
from esteira.local.cloud.administration import Administration
from esteira.local.cloud.bucket import serve_buckets
from esteira.local.cloud.builds import Builds
from esteira.local.cloud.contents import Contents
from esteira.local.cloud.endpoints import Endpoints
from esteira.local.cloud.execute import execute_job
from esteira.local.cloud.logged_requests import LoggedRequests
from esteira.local.cloud.logs import Logs
from esteira.local.cloud.numbers import PROJECT_NUMBER
from esteira.local.cloud.pipelines import Pipelines
from esteira.local.cloud.registry import serve_registry
from esteira.local.cloud.schedules import Schedules
from esteira.local.cloud.served_models import served_models
from esteira.local.cloud.server import StandIn, served
from esteira.local.cloud.storage import Buckets
from esteira.release.store.cloud import CloudStore
from esteira.settings import Settings


@dataclass(frozen=True)
class Project:
    """The stand-ins, with what they keep; `variables` lead gcloud and the engine to them."""

    stand_in: StandIn
    administration: Administration
    buckets: Buckets
    builds: Builds
    pipelines: Pipelines
    endpoints: Endpoints
    requests: LoggedRequests
    logs: Logs
    variables: Dict[str, str]


@contextmanager
def served_project(
    settings: Settings, folder: Path, environ: Mapping[str, str], also: Optional[List[str]] = None
) -> Iterator[Project]:
    """Serve the project of the chosen environment until the end of the block; nothing is in it.

    `folder` keeps images, the cache of runs and logs for the next time; `also` are hosts of registries that the
    project's own stands for, too. Raises ProgramError if a server is missing.
    """
    place = settings.environment
    with serve_buckets(settings.state, environ) as bucket_url, serve_registry(folder / "registry") as registry:
        stand_in = StandIn()
        with served(stand_in):
            hosts = [f"{place.region}-docker.pkg.dev", *(also or [])]
            variables = {
                **stand_in.variables(),
                REGISTRY_AT: ",".join(f"{host}={registry}" for host in hosts),
                "CLOUDSDK_CONFIG": str(folder / "gcloud"),
                "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            }
            with served_models(Api(place.project, place.region, variables)) as start:
                project = furnished(settings, folder, environ, stand_in, Contents(bucket_url), variables)
                project.endpoints.start = start
                yield project
                project.builds.wait()


def furnished(
    settings: Settings,
    folder: Path,
    environ: Mapping[str, str],
    stand_in: StandIn,
    contents: Contents,
    variables: Dict[str, str],
) -> Project:
    """Return the project whose services answer at the stand-in; no model can be deployed yet."""
    place = settings.environment
    kept, administration = Logs(place.project), Administration(place.project)
    requests = LoggedRequests(administration.warehouse)
    project = Project(
        stand_in=stand_in,
        administration=administration,
        buckets=Buckets(contents, place.project, PROJECT_NUMBER),
        builds=Builds(
            folder / "builds",
            lambda bucket, name: fetch(contents, bucket, name),
            lambda build, step, line: write(kept, build, step, line),
            {**environ, **variables},
        ),
        pipelines=Pipelines(lambda job: run(settings, folder, variables, kept, job)),
        endpoints=Endpoints(nothing_starts, log=requests.keep),
        requests=requests,
        logs=kept,
        variables=variables,
    )
    project.administration.add_mirrors(place)
    for handlers in (
        project.administration.handlers(),
        storage.handlers(project.buckets),
        project.builds.handlers(),
        pipelines.handlers(project.pipelines),
        schedules.handlers(Schedules(project.pipelines)),
        project.endpoints.handlers(),
        logs.handlers(kept),
    ):
        stand_in.add(handlers)
    stand_in.paths.update(
        {**storage.paths(project.buckets), **project.administration.jobs.paths(), **described.paths()}
    )
    return project


def run(settings: Settings, folder: Path, variables: Mapping[str, str], kept: Logs, job: Json) -> Iterator[List[Json]]:
    """Run a posted job on this machine, with the bucket that it names and a state of its own."""
    place = settings.environment
    root = urlsplit(job["runtimeConfig"]["gcsOutputDirectory"])
    bucket, pipeline = place.copy(update={"bucket": root.netloc}), root.path.strip("/").rpartition("/")[0]
    store = CloudStore(bucket, pipeline, Api(place.project, place.region, variables))
    home = settings.copy(update={"state": folder / "vertex"})
    return execute_job(job, settings=home, store=store, folder=folder / "vertex" / "bucket", log=kept.add_task_line)


def fetch(contents: Contents, bucket: str, name: str) -> bytes:
    return contents.ask("GET", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media", b"", {}).content


def write(kept: Logs, build: str, step: str, line: str) -> None:
    """Keep a line of a build's log as Cloud Build labels it."""
    kept.add("build", {"build_id": build}, line, entry_labels={"build_step": step}, log="cloudbuild")


def nothing_starts(model: Json) -> NoReturn:
    raise AssertionError(f"{model['name']}: nothing serves models yet")

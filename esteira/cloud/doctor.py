"""`make doctor` for Google Cloud: what a deploy needs, each thing asked for, with how to mend it."""

from functools import partial
from typing import Callable, Iterable, Iterator, List

from esteira.cloud.check import absent
from esteira.cloud.doctor_machine import check_clock, check_credentials, check_gcloud, check_hosts
from esteira.cloud.doctor_quota import check_quota
from esteira.cloud.mirror import find_mirror
from esteira.cloud.part import Resource
from esteira.cloud.permissions import Need, lacking, needs, rollback_needs, told
from esteira.cloud.resources import resources
from esteira.cloud.services import DOMAIN, SERVICES, read_services
from esteira.doctor.finding import Check, Finding, failed, run_checks
from esteira.errors import GoogleError
from esteira.google.api import Api
from esteira.google.refusals import NotFoundError
from esteira.settings import Settings

# What whoever deploys has to see; roles and identities are an owner's business, and `make cloud-plan`'s.
SEEN = ("service account", "bucket", "repository", "dataset", "table")


def examine(settings: Settings, api: Api) -> List[Finding]:
    """Return what every check finds, in the order in which one would mend it."""
    place = settings.environment
    checks: List[Check] = [
        partial(check_gcloud, api.environ),
        partial(check_credentials, api),
        partial(check_hosts, api),
        partial(check_clock, api),
        guarded("project", partial(check_services, settings, api)),
    ]
    for resource in resources(settings, settings.selected, place):
        if resource.kind in SEEN:
            checks.append(guarded(f"{resource.kind} {resource.name}", partial(check_resource, settings, api, resource)))
    for need in [*needs(place), *rollback_needs(place)]:
        checks.append(guarded(f"permissions, {need.scope}", partial(check_permissions, settings, api, need)))
    checks += [guarded("Vertex AI", partial(check_vertex, api)), guarded("quota", partial(check_quota, settings, api))]
    return run_checks(checks)


def guarded(name: str, check: Callable[[], Iterable[Finding]]) -> Check:
    """Return a check that tells a refusal as what it found."""

    def run() -> List[Finding]:
        try:
            return list(check())
        except GoogleError as error:
            return [failed(name, error)]

    return run


def check_services(settings: Settings, api: Api) -> Iterator[Finding]:
    """Yield whether the project is there, and its APIs enabled."""
    enabled = read_services(api)
    yield Finding("project", True, f"{api.project}, number {enabled.number}")
    absent = [name + DOMAIN for name, there in enabled.services.items() if not there]
    if absent:
        remedy = f"Run: make cloud-apply ENV={settings.selected}"
        yield Finding("APIs", False, f"not enabled: {', '.join(absent)}", remedy)
    else:
        yield Finding("APIs", True, f"all {len(SERVICES)} are enabled")


def check_resource(settings: Settings, api: Api, resource: Resource) -> Iterator[Finding]:
    """Yield whether a thing is there, and as it must be."""
    name = f"{resource.kind} {resource.name}"
    row = resource.row(resource.read(api))
    remedy = row.remedy or f"Run: make cloud-apply ENV={settings.selected}"
    if row.state == "ok":
        yield Finding(name, True, row.detail or "as it must be")
    else:
        yield Finding(name, False, row.detail or "is not there", remedy)


def check_permissions(settings: Settings, api: Api, need: Need) -> Iterator[Finding]:
    """Yield what whoever asks may not do; one line that all is well if that is nothing."""
    name = f"permissions, {need.scope}"
    try:
        lacks = lacking(api, settings.environment, need)
    except NotFoundError:
        if find_mirror(need.target):
            yield Finding(name, False, *absent(need.scope, need.target, settings).split(". ", 1))
        else:
            yield Finding(name, None, f"not checked: {need.scope} {need.target} is not there")
        return
    for sentence in told(lacks):
        said, _, remedy = sentence.partition(". Have")
        yield Finding(name, False, said, f"Have{remedy}")
    if not lacks:
        yield Finding(name, True, f"you hold all {len(need.permissions)} on {need.target}")


def check_vertex(api: Api) -> Iterator[Finding]:
    """Yield whether Vertex AI runs pipelines in the region."""
    path = f"v1/projects/{api.project}/locations/{api.region}/pipelineJobs"
    try:
        api.call("list the runs", "aiplatform", "GET", path, query={"pageSize": 1})
    except NotFoundError:
        regions = "https://cloud.google.com/vertex-ai/docs/general/locations"
        yield Finding("Vertex AI", False, f"runs no pipelines in {api.region}", f"Choose a region of {regions}")
        return
    yield Finding("Vertex AI", True, f"runs pipelines in {api.region}")

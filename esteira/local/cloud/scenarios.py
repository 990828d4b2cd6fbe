"""What a rehearsal lets go wrong, and what a deploy must come to then."""

from dataclasses import dataclass, field
from typing import Callable, Dict, Iterator, List, Mapping, Tuple

from esteira.google.api import Json
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.operations import Failed
from esteira.local.cloud.project import Project

JOBS = "aiplatform.projects.locations.pipelineJobs"
ENDPOINTS = "aiplatform.projects.locations.endpoints"
# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
RESOURCE_EXHAUSTED = 8
BROKEN = "\n\ndef run_fn(fn_args):\n    raise RuntimeError('rehearsed: this task fails')\n"

Undo = Callable[[], None]


@dataclass(frozen=True)
class Scenario:
    """A deploy with a fault.

    `code` is the exit code that it must end with, and what it prints holds each of `words`. `variables` are given
    to the command, `appended` is put at the end of files; `prepare` changes the project and returns what undoes
    that. With `changes` the deploy is one of changed settings, which the next deploy completes.
    """

    name: str
    what: str
    code: int
    words: Tuple[str, ...] = ()
    faults: Tuple[Fault, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    appended: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Project], Undo] = lambda project: lambda: None
    changes: bool = False


def without_machines(project: Project) -> Undo:
    """Let no model be deployed, as where a quota of machines is used up."""
    start = project.endpoints.start

    def refuse(model: Json) -> "Callable[[bytes], Tuple[int, bytes]]":
        raise Failed(RESOURCE_EXHAUSTED, "The following quotas are exceeded: CustomModelServingCPUsPerProjectPerRegion")

    project.endpoints.start = refuse

    def undo() -> None:
        project.endpoints.start = start

    return undo


def without_api(project: Project) -> Undo:
    """Disable Vertex AI."""
    project.administration.usage.enabled.discard("aiplatform.googleapis.com")
    return lambda: project.administration.usage.enabled.add("aiplatform.googleapis.com")


def without_role(project: Project) -> Undo:
    """Take the right to start a build away."""
    project.administration.lacking.add("cloudbuild.builds.create")
    return lambda: project.administration.lacking.discard("cloudbuild.builds.create")


def elsewhere(project: Project) -> Undo:
    """Move the buckets to another region."""
    before = {name: bucket["location"] for name, bucket in project.buckets.resources.items()}
    for bucket in project.buckets.resources.values():
        bucket["location"] = "US-EAST1"

    def undo() -> None:
        for name, location in before.items():
            project.buckets.resources[name]["location"] = location

    return undo


def without_rows(project: Project) -> Undo:
    """Let nothing that the endpoint is asked come into the request log, and a deploy wait for it for a moment."""
    project.requests.loses = True
    project.builds.step_variables["ESTEIRA_LOG_LANDS_S"] = "5"

    def undo() -> None:
        project.requests.loses = False
        del project.builds.step_variables["ESTEIRA_LOG_LANDS_S"]

    return undo


def scenarios() -> Iterator[Scenario]:
    """Yield what is rehearsed, what is over soonest first."""
    yield Scenario(
        "expired",
        "the credentials have expired",
        21,
        ("Log in:",),
        faults=(Fault(r"serviceusage\..*|cloudresourcemanager\..*", "expired", times=99),),
    )
    yield Scenario("api", "the API of Vertex AI is not enabled", 21, ("aiplatform", "cloud-apply"), prepare=without_api)
    yield Scenario("role", "who deploys may start no build", 21, ("cloudbuild.builds.create",), prepare=without_role)
    yield Scenario("region", "the bucket is in another region", 21, ("us-east1",), prepare=elsewhere)
    yield Scenario(
        "passing",
        "429 and 503 with Retry-After, a reset connection, and answers that are lost after the server acted",
        0,
        faults=passing_faults(),
    )
    yield Scenario(
        "denied",
        "the build's account may start no run",
        21,
        ("create the run", "cloud-apply"),
        faults=(Fault(f"{JOBS}.create", "denied", times=9),),
        changes=True,
    )
    yield Scenario(
        "quota",
        "no machine is left to serve on",
        11,
        ("CustomModelServingCPUs",),
        prepare=without_machines,
        changes=True,
    )
    yield Scenario(
        "log",
        "no request gets into the request log",
        21,
        ("is promoted, and serves", "has no row of the deployed model"),
        prepare=without_rows,
        changes=True,
    )
    yield Scenario(
        "task",
        "a task of the run fails",
        9,
        ("Trainer", "rehearsed: this task fails"),
        appended={"modules/model.py": BROKEN},
    )
    yield Scenario(
        "blessing",
        "the model is not blessed",
        10,
        ("macro_f1", "not blessed"),
        variables={"ESTEIRA_GATE_MACRO_F1": "1"},
    )


def passing_faults() -> Tuple[Fault, ...]:
    return (
        Fault(r"storage\.objects\.insert", "busy", times=2),
        Fault(r"storage\.objects\.get", "unavailable", times=2, skip=3),
        Fault(r"storage\.objects\.list", "reset", times=1),
        Fault(r"cloudbuild\.projects\.locations\.builds\.create", "lost"),
        Fault(r"cloudbuild\.projects\.locations\.builds\.get", "reset", times=2),
        Fault(f"{JOBS}.create", "lost"),
        Fault(f"{JOBS}.get", "unavailable", times=2, skip=2),
        Fault(r"aiplatform\.projects\.locations\.models\.upload", "lost"),
        Fault(f"{ENDPOINTS}.deployModel", "lost", times=2),
        Fault(f"{ENDPOINTS}.patch", "reset"),
        Fault(r"logging\.entries\.list", "unavailable", times=2),
    )


def deploy_tags(build: Json) -> List[str]:
    """Return the tag of the deploy that a build carries out, none if it was cancelled."""
    return [tag for tag in build["tags"] if tag.startswith("deploy-") and build["status"] != "CANCELLED"]


def acted_twice(project: Project) -> List[str]:
    """Return what was done more than once though it was asked for once: of builds, runs and deployed models."""
    faults = []
    for what, names in (
        ("builds", [tag for build in project.builds.known.values() for tag in deploy_tags(build)]),
        ("runs of a build", [job["labels"]["build"] for job in project.pipelines.jobs.values()]),
        (
            "deployments of a release",
            [
                f"{endpoint['name']} {model['displayName']}"
                for endpoint in project.endpoints.known.values()
                for model in endpoint.get("deployedModels", [])
            ],
        ),
    ):
        counts: Dict[str, int] = {}
        for name in names:
            counts[name] = counts.get(name, 0) + 1
        faults += [f"{count} {what} {name}" for name, count in counts.items() if count > 1]
    return faults

"""The schedule that runs the current release's job again and again: it trains, and promotes nothing.

https://cloud.google.com/vertex-ai/docs/pipelines/schedule-pipeline-run
"""

from typing import Any, Dict, List, Optional

from esteira.errors import GoogleError
from esteira.google.api import Api, Json
from esteira.google.operations import wait_for_operation
from esteira.google.refusals import NotFoundError
from esteira.jobs.bind import Job
from esteira.release.digest import digest_value
from esteira.release.manifest import ID_DIGITS, Release
from esteira.settings import Settings
from esteira.vertex.job import make_body

DELETE_S = 300.0
# What an update changes.
CHANGED = ("cron", "createPipelineJobRequest", "maxConcurrentRunCount", "maxConcurrentActiveRunCount")
# The label of a scheduled job that tells whether it is the one that the settings and the release ask for.
CONTENT = "content"


def apply_schedule(settings: Settings, api: Api, release: Release, job: Job) -> str:
    """Make the pipeline's schedule what cloud.schedule says, for a release's bound job; return what was done.

    The schedule is made, changed or removed; "" if it was right. One that somebody has paused stays paused.
    Can be interrupted, and done again. Raises GoogleError.
    """
    found = find_schedules(settings, api)
    if not settings.cloud.schedule:
        delete_schedules(api, found)
        return f"removed the schedule {schedule_title(settings)}" if found else ""
    wanted = make_schedule(settings, release, job)
    # What two deploys at once have made trains twice.
    delete_schedules(api, found[1:])
    if not found:
        create_schedule(settings, api, wanted)
        return f"made the schedule {wanted['displayName']}: {wanted['cron']}"
    if is_right(found[0], wanted):
        return ""
    change_schedule(settings, api, found[0], wanted)
    return f"changed the schedule {wanted['displayName']}: {wanted['cron']}"


def schedule_title(settings: Settings) -> str:
    return f"esteira-{settings.pipeline.name}"


def find_schedules(settings: Settings, api: Api) -> List[Json]:
    """Return the pipeline's schedules in this environment, the oldest first: there should be one at most.

    A project may hold two environments in one region, whose buckets differ.
    """
    path = f"v1/{settings.environment.location}/schedules"
    query = {"filter": f'display_name="{schedule_title(settings)}"', "orderBy": "create_time"}
    root = f"{settings.bucket}/root"
    listed = api.pages("list the schedules", "aiplatform", path, "schedules", query)
    return [schedule for schedule in listed if output_folder(schedule) == root]


def scheduled_job(schedule: Json) -> Json:
    """Return the job of a schedule, {} of one that was made by hand to run something else."""
    request: Json = schedule.get("createPipelineJobRequest", {})
    job: Json = request.get("pipelineJob", {})
    return job


def output_folder(schedule: Json) -> str:
    return str(scheduled_job(schedule).get("runtimeConfig", {}).get("gcsOutputDirectory", ""))


def make_schedule(settings: Settings, release: Release, job: Job) -> Json:
    """Return the schedule as it is to be: no run begins while another one goes on, and none is made up for.

    What must be given limits how many begin at once; the other one limits how many go on.
    https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.schedules
    """
    labels = {"pipeline": settings.pipeline.name, "release": release.id}
    body = make_body(settings, job, labels)
    body["labels"][CONTENT] = digest_value(body).partition(":")[2][:ID_DIGITS]
    return {
        "displayName": schedule_title(settings),
        "cron": settings.cloud.schedule,
        "maxConcurrentRunCount": "1",
        "maxConcurrentActiveRunCount": "1",
        "allowQueueing": False,
        "createPipelineJobRequest": {"parent": settings.environment.location, "pipelineJob": body},
    }


def is_right(schedule: Json, wanted: Json) -> bool:
    """Return whether a schedule is what is wanted; Vertex AI may add to the job, so its label tells."""
    same = all(schedule.get(key) == wanted[key] for key in CHANGED if key != "createPipelineJobRequest")
    return same and scheduled_job(schedule).get("labels", {}).get(CONTENT) == scheduled_job(wanted)["labels"][CONTENT]


def create_schedule(settings: Settings, api: Api, wanted: Json) -> Json:
    def find() -> Optional[Json]:
        return next((one for one in find_schedules(settings, api) if is_right(one, wanted)), None)

    path = f"v1/{settings.environment.location}/schedules"
    return api.call("create the schedule", "aiplatform", "POST", path, body=wanted, find=find)


def change_schedule(settings: Settings, api: Api, schedule: Json, wanted: Json) -> None:
    """Change a schedule in its place; where Vertex AI does not change such a field, put another one in its place."""
    body: Dict[str, Any] = {name: wanted[name] for name in CHANGED}
    query = {"updateMask": ",".join(CHANGED)}
    path = f"v1/{schedule['name']}"
    try:
        api.call("change the schedule", "aiplatform", "PATCH", path, body=body, query=query, repeat=True)
    except GoogleError as error:
        if error.status != 400:
            raise
        create_schedule(settings, api, wanted)
        delete_schedules(api, [schedule])


def delete_schedules(api: Api, schedules: List[Json]) -> None:
    for schedule in schedules:
        try:
            operation = api.call("remove the schedule", "aiplatform", "DELETE", f"v1/{schedule['name']}")
        except NotFoundError:
            continue
        if operation.get("name"):
            wait_for_operation(api, "remove the schedule", "aiplatform", operation, timeout_s=DELETE_S)

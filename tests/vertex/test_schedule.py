from typing import Any, Callable, Dict, List

import pytest

from esteira.errors import GoogleError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call
from esteira.settings import Settings
from esteira.vertex.schedule import apply_schedule
from tests.vertex.scripted import NUMBERED, RELEASE, Project, bound_job, release_of

pytestmark = pytest.mark.loopback
PREFIX = "aiplatform.projects.locations.schedules"
CRON = "TZ=Europe/Berlin 0 6 * * 1"
CHANGED = ("cron", "createPipelineJobRequest", "maxConcurrentRunCount", "maxConcurrentActiveRunCount")
MakeProject = Callable[..., Project]


def scheduled(project: Project, cron: str) -> Settings:
    return project.settings.copy(update={"cloud": project.settings.cloud.copy(update={"schedule": cron})})


def apply(project: Project, cron: str, release: str = RELEASE) -> str:
    return apply_schedule(scheduled(project, cron), project.api(), release_of(release), bound_job())


def kept(project: Project) -> List[Dict[str, Any]]:
    return list(project.schedules.schedules.values())


def test_a_schedule_is_made_with_the_releases_job(make_project: MakeProject) -> None:
    project = make_project()
    assert apply(project, CRON) == f"made the schedule esteira-sentiment: {CRON}"
    (call,) = project.stand_in.called(f"{PREFIX}.create")
    job = call.body["createPipelineJobRequest"].pop("pipelineJob")
    assert call.body == {
        "displayName": "esteira-sentiment",
        "cron": CRON,
        "maxConcurrentRunCount": "1",
        "maxConcurrentActiveRunCount": "1",
        "allowQueueing": False,
        "createPipelineJobRequest": {"parent": "projects/demo-project/locations/europe-west1"},
    }
    assert job["pipelineSpec"] == bound_job()["pipelineSpec"]
    assert job["serviceAccount"] == "esteira-run@demo-project.iam.gserviceaccount.com"
    content = job["labels"].pop("content")
    assert len(content) == 12
    assert {key: job["labels"][key] for key in ("pipeline", "release")} == {"pipeline": "sentiment", "release": RELEASE}


def test_a_run_of_the_schedule_bears_the_release(make_project: MakeProject) -> None:
    project = make_project()
    apply(project, CRON)
    run = project.schedules.run(f"{NUMBERED}/schedules/1")
    assert (run["labels"]["release"], run["scheduleName"]) == (RELEASE, f"{NUMBERED}/schedules/1")


def test_a_schedule_that_is_right_is_left_alone(make_project: MakeProject) -> None:
    project = make_project()
    apply(project, CRON)
    assert apply(project, CRON) == ""
    assert [call.method for call in project.stand_in.calls] == [f"{PREFIX}.list", f"{PREFIX}.create", f"{PREFIX}.list"]


def test_another_release_changes_the_schedule_in_its_place(make_project: MakeProject) -> None:
    project = make_project()
    apply(project, CRON)
    assert apply(project, CRON, "b" * 12) == f"changed the schedule esteira-sentiment: {CRON}"
    (call,) = project.stand_in.called(f"{PREFIX}.patch")
    assert call.parameters["updateMask"] == ",".join(CHANGED)
    assert sorted(call.body) == sorted(CHANGED)
    (schedule,) = kept(project)
    assert schedule["createPipelineJobRequest"]["pipelineJob"]["labels"]["release"] == "b" * 12


def test_one_that_somebody_paused_stays_paused(make_project: MakeProject) -> None:
    project = make_project()
    apply(project, CRON)
    kept(project)[0]["state"] = "PAUSED"
    apply(project, "0 7 * * *")
    assert [(one["cron"], one["state"]) for one in kept(project)] == [("0 7 * * *", "PAUSED")]


def test_a_change_that_is_not_taken_puts_another_schedule_in_its_place(make_project: MakeProject) -> None:
    project = make_project()
    apply(project, CRON)

    def refuse(call: Call) -> None:
        raise Refused(400, "create_pipeline_job_request cannot be updated")

    project.stand_in.handlers[f"{PREFIX}.patch"] = refuse
    assert apply(project, CRON, "b" * 12) == f"changed the schedule esteira-sentiment: {CRON}"
    assert [one["name"] for one in kept(project)] == [f"{NUMBERED}/schedules/2"]


def test_an_empty_setting_removes_the_schedule(make_project: MakeProject) -> None:
    project = make_project()
    assert apply(project, "") == ""
    apply(project, CRON)
    assert apply(project, "") == "removed the schedule esteira-sentiment"
    assert (kept(project), apply(project, "")) == ([], "")


def test_a_lost_answer_makes_one_schedule(make_project: MakeProject) -> None:
    project = make_project()
    project.stand_in.faults.add(Fault(f"{PREFIX}.create", "lost"))
    apply(project, CRON)
    assert len(kept(project)) == 1


def test_what_two_deploys_made_at_once_is_one_again(make_project: MakeProject) -> None:
    project = make_project()
    apply(project, CRON)
    project.schedules.create(project.stand_in.called(f"{PREFIX}.create")[0])
    assert len(kept(project)) == 2
    apply(project, CRON)
    assert [one["name"] for one in kept(project)] == [f"{NUMBERED}/schedules/1"]


def test_the_schedule_of_another_environment_in_the_project_is_left_alone(make_project: MakeProject) -> None:
    project = make_project()
    apply(project, CRON)
    request = kept(project)[0]["createPipelineJobRequest"]
    request["pipelineJob"]["runtimeConfig"]["gcsOutputDirectory"] = "gs://prod-bucket/sentiment/root"
    assert apply(project, "") == ""
    apply(project, CRON)
    assert len(kept(project)) == 2


def test_a_missing_permission_is_told(make_project: MakeProject) -> None:
    project = make_project()
    project.stand_in.faults.add(Fault(f"{PREFIX}.create", "denied"))
    with pytest.raises(GoogleError, match=r"^Google Cloud: cannot create the schedule: Permission '"):
        apply(project, CRON)


def test_one_without_a_limit_of_what_goes_on_at_once_gets_it(make_project: MakeProject) -> None:
    project = make_project()
    apply(project, CRON)
    del kept(project)[0]["maxConcurrentActiveRunCount"]
    assert apply(project, CRON) == f"changed the schedule esteira-sentiment: {CRON}"
    assert kept(project)[0]["maxConcurrentActiveRunCount"] == "1"


@pytest.mark.parametrize("change", [{"runtimeConfig": {}}, {"runtimeConfig": None}])
def test_a_schedule_of_that_name_that_somebody_made_by_hand_is_left_alone(
    make_project: MakeProject, change: Dict[str, Any]
) -> None:
    project = make_project()
    apply(project, CRON)
    (theirs,) = kept(project)
    job = theirs["createPipelineJobRequest"]["pipelineJob"]
    job.update(change)
    if change["runtimeConfig"] is None:
        del job["runtimeConfig"]
    assert apply(project, "") == ""
    assert apply(project, CRON) == f"made the schedule esteira-sentiment: {CRON}"
    assert kept(project)[0] is theirs


def test_a_line_that_no_clock_shows_is_refused_by_the_stand_in(make_project: MakeProject) -> None:
    with pytest.raises(GoogleError, match=r"cannot create the schedule: cron: 99 99 \* \* \*: is no cron schedule"):
        apply(make_project(), "99 99 * * *")

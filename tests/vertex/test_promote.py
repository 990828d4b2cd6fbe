"""The order of a promotion: traffic, the pointer, and what may then fail without a doubt about what serves."""

import json
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional

import pytest

from esteira.errors import GoogleError
from esteira.local.cloud import schedules
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.pipelines import Pipelines
from esteira.local.cloud.schedules import Schedules
from esteira.release.history import keep_release, make_current, read_pointer
from esteira.settings import Settings
from esteira.vertex.promote import finish_promotion, finish_rollback, promote_release, restore
from esteira.vertex.smoke import smoke_release
from tests.vertex.endpoint_project import SERVING
from tests.vertex.logged_project import LoggedProject, reached
from tests.vertex.scripted import bound_job

pytestmark = pytest.mark.loopback

CRON = "0 6 * * *"
ONE, TWO, THREE = (f"{number:012x}" for number in (1, 2, 3))
DEPLOYED = "SELECT deployed_model_id AS id FROM `DATASET.deployed_models` ORDER BY deployed_time"
CREATE = "aiplatform.projects.locations.schedules.create"
UNDEPLOY = "aiplatform.projects.locations.endpoints.undeployModel"


class Scheduled(LoggedProject):
    """A project whose settings ask for a schedule, and whose store has the releases that are promoted."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        super().__init__(settings, folder)
        self.set("cloud", schedule=CRON)
        self.schedules = Schedules(Pipelines(lambda job: iter(())))
        self.stand_in.add(schedules.handlers(self.schedules))

    def promote(self, number: int, move: Optional[Callable[[], None]] = None) -> None:
        """Make, smoke-test and promote a release after the current one."""
        before = read_pointer(self.store)
        release = self.release(number).copy(update={"parent": before.release or None})
        keep_release(self.store, release)
        self.store.write(f"releases/{release.id}/job.json", json.dumps(bound_job()).encode())
        smoke_release(self.settings, self.api, self.store, release)
        usual = partial(make_current, self.store, release.id, if_generation=before.generation)
        promote_release(self.settings, self.store, release, move or usual)

    def scheduled(self) -> List[Any]:
        found = self.schedules.schedules.values()
        return [one["createPipelineJobRequest"]["pipelineJob"]["labels"]["release"] for one in found]


@pytest.fixture
def project(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduled]:
    project = Scheduled(settings, tmp_path / "bucket")
    with reached(project, monkeypatch):
        yield project


def test_a_promotion_moves_the_traffic_the_pointer_and_the_schedule(
    project: Scheduled, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2, 3):
        project.promote(number)
    assert (project.deployed(), read_pointer(project.store).release) == ({TWO: 0, THREE: 100}, THREE)
    assert project.scheduled() == [THREE]
    rows = "request log: demo-project.esteira.request_log has a row of the deployed model"
    first, second, third = (row["id"] for row in project.rows(DEPLOYED))
    assert capsys.readouterr().out.splitlines() == [
        f"made the schedule esteira-sentiment: {CRON}",
        f"{rows} {first}",
        f"changed the schedule esteira-sentiment: {CRON}",
        f"{rows} {second}",
        f"undeployed {ONE}",
        f"changed the schedule esteira-sentiment: {CRON}",
        f"{rows} {third}",
    ]


def test_a_schedule_that_is_refused_leaves_a_release_that_is_promoted_and_says_so(project: Scheduled) -> None:
    project.stand_in.faults.add(Fault(CREATE, "denied"))
    with pytest.raises(GoogleError) as told:
        project.promote(1)
    first, *_, last = str(told.value).splitlines()
    assert first == (
        f"release {ONE}: is promoted, and serves. But the schedule could not be set: Google Cloud: cannot create the "
        "schedule: Permission 'aiplatform.schedules.create' denied on resource "
        "'//aiplatform.googleapis.com/aiplatform/v1/projects/demo-project/locations/europe-west1/schedules' "
        "(or it may not exist)."
    )
    assert last == "Run: make deploy ENV=dev"
    assert (project.deployed(), read_pointer(project.store).release) == ({ONE: 100}, ONE)
    finish_promotion(project.settings, project.store)
    assert project.scheduled() == [ONE]


def test_what_cannot_be_undeployed_keeps_nothing_else_from_being_done(project: Scheduled) -> None:
    project.set("endpoint", keep=0)
    project.promote(1)
    project.stand_in.faults.add(Fault(UNDEPLOY, "denied", skip=1))  # after that of the endpoint for checks
    with pytest.raises(GoogleError, match=f"^release {TWO}: is promoted, and serves. But older models could not be un"):
        project.promote(2)
    assert (read_pointer(project.store).release, project.scheduled()) == (TWO, [TWO])
    assert project.deployed() == {ONE: 0, TWO: 100}
    finish_promotion(project.settings, project.store)
    assert project.deployed() == {TWO: 100}


def test_a_pointer_that_cannot_be_written_says_who_has_the_traffic(project: Scheduled) -> None:
    def fail() -> None:
        raise GoogleError("Google Cloud: cannot write current: no answer")

    with pytest.raises(GoogleError) as told:
        project.promote(1, fail)
    assert str(told.value) == (
        "Google Cloud: cannot write current: no answer\n"
        f"The model of release {ONE} has the traffic already, but that it is current could not be written. "
        "Run: make deploy ENV=dev"
    )
    assert project.scheduled() == []
    project.promote(1)
    assert (read_pointer(project.store).release, project.scheduled()) == (ONE, [ONE])


def test_the_schedule_follows_a_rollback_which_is_done_whatever_it_says(project: Scheduled) -> None:
    project.promote(1)
    project.promote(2)
    back = project.release(7).copy(update={"kind": "rollback", "restores": ONE, "parent": TWO})
    keep_release(project.store, back)
    make_current(project.store, back.id, if_generation=read_pointer(project.store).generation)
    project.stand_in.faults.add(Fault("aiplatform.*schedules.list", "denied"))
    with pytest.raises(GoogleError) as told:
        finish_rollback(project.settings, project.store)
    assert str(told.value).startswith(f"release {back.id}: is promoted, and serves. But the schedule could not be set")
    assert str(told.value).endswith(f"\nRun: make rollback RELEASE={ONE} ENV=dev")
    finish_rollback(project.settings, project.store)
    assert project.scheduled() == [back.id]


def test_a_rollback_by_somebody_without_rights_in_bigquery_says_which_and_what_completes_it(project: Scheduled) -> None:
    for number in (1, 2):
        project.promote(number)
    back = project.release(7).copy(update={"kind": "rollback", "restores": ONE, "parent": TWO})
    keep_release(project.store, back)
    make_current(project.store, back.id, if_generation=read_pointer(project.store).generation)
    project.stand_in.faults.add(Fault("bigquery.jobs.insert", "denied"))
    with pytest.raises(GoogleError) as told:
        finish_rollback(project.settings, project.store)
    first, lacks, again = str(told.value).splitlines()
    beginning = f"release {back.id}: is promoted, and serves. But the views of its request log could not be made: "
    assert first.startswith(f"{beginning}BigQuery: cannot ")
    assert lacks.startswith(
        "Whoever runs this lacks roles/bigquery.jobUser on the project demo-project. For a person, an owner runs: "
        "gcloud projects add-iam-policy-binding demo-project "
    )
    assert again == f"Run: make rollback RELEASE={ONE} ENV=dev"
    finish_rollback(project.settings, project.store)


def test_a_rollback_sets_the_log_of_the_endpoint_and_says_where_nothing_is_logged(
    project: Scheduled, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        project.promote(number)
    project.set("log", text="hash")
    restore(project.settings, project.store, project.release(1))
    config = "predictRequestResponseLoggingConfig"
    assert project.endpoints.known[SERVING][config] == {"enabled": False}
    back = project.release(7).copy(update={"kind": "rollback", "restores": ONE, "parent": TWO})
    keep_release(project.store, back)
    make_current(project.store, back.id, if_generation=read_pointer(project.store).generation)
    capsys.readouterr()
    finish_rollback(project.settings, project.store)
    assert capsys.readouterr().out.splitlines()[0] == (
        f'request log: nothing is logged: log.text is "hash", and release {ONE} was deployed without a log of its own, '
        "which would replace texts. So it is until the next deploy: make deploy ENV=dev"
    )
    project.set("log", text="keep")
    finish_rollback(project.settings, project.store)
    assert project.endpoints.known[SERVING][config]["enabled"]


def test_a_job_that_is_lost_is_told_with_the_release_that_serves(project: Scheduled) -> None:
    project.promote(1)
    project.store.delete([f"releases/{ONE}/job.json"])
    with pytest.raises(GoogleError, match="is promoted, and serves. But the schedule could not be set: .*is lost"):
        finish_promotion(project.settings, project.store)


def test_a_log_without_a_row_leaves_a_release_that_is_promoted_and_the_next_deploy_proves_it(
    project: Scheduled,
) -> None:
    project.set("log", lands_s=0)
    project.requests.loses = True
    with pytest.raises(GoogleError) as told:
        project.promote(1)
    first, *_, last = str(told.value).splitlines()
    assert first.startswith(
        f"release {ONE}: is promoted, and serves. But its request log is not proven to work: "
        "demo-project.esteira.request_log: has no row of the deployed model "
    )
    assert last == "Run: make deploy ENV=dev"
    assert (project.deployed(), read_pointer(project.store).release) == ({ONE: 100}, ONE)
    project.requests.loses = False
    project.set("log", lands_s=60)
    finish_promotion(project.settings, project.store)
    jobs = len(project.jobs.known)
    finish_promotion(project.settings, project.store)
    assert len(project.jobs.known) == jobs

"""deploy.yaml, really run: what a push deploys, what one sees of it, and what it leaves alone."""

import re
from typing import Iterator, List

import pytest

from esteira.errors import NotBlessedError, PlanError
from esteira.settings import load_settings
from tests.conftest import REPOSITORY
from tests.repositories import run_git
from tests.workflows.act import Ran, read_workflow
from tests.workflows.hosted import Hosted, changed, hosted_repository
from tests.workflows.repository import BRANCH, Repository

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]

PARTIAL, FULL = "Deploy, partial", "Deploy, full"
# All deploys are of one group, of which GitHub runs one at a time and keeps the newest of those that wait; a plan, or a
# push of another branch, is alone in its own. act does not queue.
QUEUE = (
    "${{ (inputs.mode == 'plan' || (github.event_name == 'push' && "
    "github.ref_name != github.event.repository.default_branch)) && format('plan-{0}', github.run_id) || 'deploy' }}"
)


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """A repository whose environment is ready, and that nothing was deployed from yet."""
    folder = tmp_path_factory.mktemp("hosted")
    with hosted_repository(load_settings(REPOSITORY, {"ESTEIRA_STATE": str(folder / "local")}, {}), folder) as served:
        yield served


@pytest.fixture
def deployed(hosted: Hosted) -> Iterator[Hosted]:
    """The same, once all that is pushed is deployed, whichever test comes first."""
    hosted.whole.blessed = True
    if not hosted.is_deployed():
        hosted.repository.push().succeeded()
    yield hosted
    hosted.whole.end_all()


@pytest.fixture
def repository(deployed: Hosted) -> Repository:
    return deployed.repository


def deployed_by(ran: Ran) -> str:
    """Return which of the two targets a workflow ran, "" for none."""
    return " ".join(name for name in (PARTIAL, FULL) if name in ran.steps)


def headings(ran: Ran) -> List[str]:
    """Return what stands above the parts of the job summary."""
    return re.findall(r"^### (.*)$", ran.summary, re.MULTILINE)


def test_the_first_push_deploys_everything(hosted: Hosted) -> None:
    repository = hosted.repository
    ran = repository.push().succeeded()
    served = hosted.served()
    assert (deployed_by(ran), served.kind, served.commit, served.dirty) == (FULL, "full", repository.head, False)
    assert hosted.made() == (1, 1, 1)
    account = hosted.whole.settings.environment.builder_email
    provider = repository.variables["ESTEIRA_WORKLOAD_IDENTITY_PROVIDER"]
    assert repository.signed_in() == [["push", repository.head, provider, account]]


def test_a_push_of_modules_is_deployed_with_the_image_and_the_job_that_are_there(
    deployed: Hosted, repository: Repository
) -> None:
    before, made = deployed.served(), deployed.made()
    commit = repository.commit(model="another model")
    ran = repository.push(before.commit).succeeded()
    after = deployed.served()
    assert (deployed_by(ran), after.kind, after.commit, after.parent) == (PARTIAL, "partial", commit, before.id)
    assert changed(before, after) == ["modules"]
    assert deployed.made() == (made[0] + 1, made[1] + 1, made[2] + 1)

    assert headings(ran) == ["Plan: partial", "Served"]
    assert f"\n\nCommit `{commit[:7]}` against release `{before.id}`. No image is built and nothing " in ran.summary
    assert "\n| `modules` | partial | changed `modules/model.py` |\n" in ran.summary
    assert f"release `{after.id}` (partial) of commit `{commit[:7]}`" in ran.summary
    assert re.search(r"^\| `macro_f1` \|.*0\.700.*✓", ran.summary, re.MULTILINE)
    for page in (f"/cloud-build/builds;region=europe-west1/{after.build}?", f"/pipelines/runs/sentiment-{after.id}-"):
        assert re.search(rf"\]\(<https://console\.cloud\.google\.com\S*{re.escape(page)}\S*>\)", ran.summary)


def test_a_push_of_docs_deploys_nothing(deployed: Hosted, repository: Repository) -> None:
    before, made = deployed.served(), deployed.made()
    repository.commit(docs="Another word.")
    ran = repository.push(before.commit).succeeded()
    assert (deployed_by(ran), deployed.served(), deployed.made()) == ("", before, made)
    assert headings(ran) == ["Plan: none", "Served"]


def test_a_push_of_the_pipeline_is_deployed_in_full(deployed: Hosted, repository: Repository) -> None:
    before = deployed.served()
    commit = repository.commit(pipeline="another pipeline")
    ran = repository.push(before.commit).succeeded()
    after = deployed.served()
    assert (deployed_by(ran), after.kind, after.commit) == (FULL, "full", commit)
    assert changed(before, after) == ["image", "job"]
    assert headings(ran) == ["Plan: full", "Served"]


def test_a_push_of_both_is_one_full_deploy(deployed: Hosted, repository: Repository) -> None:
    before, made = deployed.served(), deployed.made()
    commit = repository.commit(pipeline="a third pipeline", model="a third model")
    ran = repository.push(before.commit).succeeded()
    after = deployed.served()
    assert (deployed_by(ran), after.kind, after.commit) == (FULL, "full", commit)
    assert changed(before, after) == ["image", "job", "modules"]
    assert deployed.made() == (made[0] + 1, made[1] + 1, made[2] + 1)


def test_a_forced_push_is_deployed_in_full_as_what_is_served_is_not_in_its_history(
    deployed: Hosted, repository: Repository
) -> None:
    gone = deployed.served()
    repository.commit(model="another end of the history")
    run_git(repository.root, "reset", "--quiet", "--soft", f"{gone.commit}^")
    run_git(repository.root, "commit", "--quiet", "--message", "rewritten")
    ran = repository.push(gone.commit, forced=True).succeeded()
    after = deployed.served()
    assert (deployed_by(ran), after.kind, after.commit, after.parent) == (FULL, "full", repository.head, gone.id)
    assert changed(gone, after) == ["modules"]
    made_of = f"commit {gone.commit[:7]}, which release {gone.id} was made of,"
    assert f"\neverything, as {made_of} is unknown here, and origin has not its history\n" in ran.text


def test_what_failed_is_deployed_by_the_next_push_whatever_that_changes(
    deployed: Hosted, repository: Repository
) -> None:
    before = deployed.served()
    deployed.whole.blessed = False
    failed = repository.commit(model="a worse model")
    ran = repository.push(before.commit).failed()
    assert (ran.steps[PARTIAL], deployed.served()) == ("failure", before)
    assert f"Error {NotBlessedError.exit_code}\n" in ran.text
    assert headings(ran) == ["Plan: partial", "Not blessed: the model missed the gate, and is not served"]
    assert re.search(r"^\| `macro_f1` \|.*0\.500.*✗", ran.summary, re.MULTILINE)

    deployed.whole.blessed = True
    commit = repository.commit(docs="A word that has nothing to do with it.")
    ran = repository.push(failed).succeeded()
    after = deployed.served()
    assert (deployed_by(ran), after.kind, after.commit, after.parent) == (PARTIAL, "partial", commit, before.id)
    assert changed(before, after) == ["modules"]
    assert headings(ran) == ["Plan: partial", "Served"]


def test_by_hand_a_plan_deploys_nothing_and_a_partial_deploy_is_refused_where_it_must_be_full(
    deployed: Hosted, repository: Repository
) -> None:
    before, made = deployed.served(), deployed.made()
    commit = repository.commit(pipeline="a pipeline that somebody deploys by hand")

    ran = repository.by_hand("plan").succeeded()
    assert (deployed_by(ran), deployed.made()) == ("", made)
    assert f"full: commit {commit[:7]} against release {before.id}\n" in ran.text
    assert headings(ran)[0] == "Plan: full"

    ran = repository.by_hand("partial").failed()
    assert (deployed_by(ran), deployed.served(), deployed.made()) == (PARTIAL, before, made)
    reason = "image: changed pipeline/__init__.py; job: changed pipeline/__init__.py"
    assert f"\nA full deploy is needed: {reason}.\nRun: make deploy-full ENV=dev\nmake: *** " in ran.text
    assert f" deploy-partial] Error {PlanError.exit_code}\n" in ran.text
    refused = "Not deployed: nothing was submitted, and what was served before still is"
    assert headings(ran) == ["Plan: full", refused]
    assert f"\nA full deploy is needed: {reason}.\nRun: make deploy-full ENV=dev\n" in ran.summary

    ran = repository.by_hand("full").succeeded()
    after = deployed.served()
    assert (deployed_by(ran), after.kind, after.commit) == (FULL, "full", commit)


def test_by_hand_a_partial_deploy_is_made_where_it_is_enough(deployed: Hosted, repository: Repository) -> None:
    before = deployed.served()
    commit = repository.commit(model="a model that somebody deploys by hand")
    ran = repository.by_hand("partial").succeeded()
    after = deployed.served()
    assert (deployed_by(ran), after.kind, after.commit, after.parent) == (PARTIAL, "partial", commit, before.id)


def test_a_push_that_is_run_again_once_a_newer_one_is_served_brings_nothing_back(
    deployed: Hosted, repository: Repository
) -> None:
    served, made = deployed.served(), deployed.made()
    former = run_git(repository.root, "rev-list", "--max-count=1", "--skip=1", "HEAD", "--", "modules", "pipeline")
    ran = repository.push(after=former).failed()
    assert f"commit {former[:7]} is older than what release {served.id} was made of" in ran.text
    assert (deployed.served(), deployed.made()) == (served, made)


def test_a_push_of_another_branch_deploys_nothing(hosted: Hosted) -> None:
    signed_in = hosted.repository.signed_in()
    ran = hosted.repository.push(branch="master")
    assert (ran.code, ran.steps, hosted.repository.signed_in()) == (0, {}, signed_in)


def test_a_repository_without_an_environment_is_told_what_to_set(hosted: Hosted) -> None:
    signed_in = hosted.repository.signed_in()
    ran = hosted.without_variables().push().succeeded()
    assert ran.summary == (REPOSITORY / ".github" / "not-set-up.md").read_text(encoding="utf-8")
    assert hosted.repository.signed_in() == signed_in


def test_two_pushes_queue_and_neither_is_cancelled_nor_replaced_by_what_deploys_nothing() -> None:
    workflow = read_workflow("deploy.yaml")
    assert workflow["concurrency"] == {"group": QUEUE, "cancel-in-progress": False, "queue": "max"}
    assert not [name for name, job in workflow["jobs"].items() if "concurrency" in job]
    assert BRANCH in workflow[True]["push"]["branches"]

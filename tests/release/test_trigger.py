"""Where a filter on the paths of a push goes wrong, a plan by what is deployed does not."""

from pathlib import Path

import pytest

from esteira.deploy.decide import decide
from esteira.errors import PlanError
from tests.release.checkout import Checkout, make_checkout
from tests.repositories import commit_all, run_git, write

pytestmark = pytest.mark.programs


@pytest.fixture
def deployed(tmp_path: Path) -> Checkout:
    checkout = make_checkout(tmp_path / "clone")
    checkout.deploy()
    return checkout


def push(checkout: Checkout, path: str, content: str = "edited\n") -> None:
    write(checkout.root / path, content)
    commit_all(checkout.root)


def test_what_a_failed_deploy_left_undone_is_in_the_next_plan(deployed: Checkout) -> None:
    push(deployed, "modules/model.py")  # Its deploy failed, so nothing was promoted.
    push(deployed, "README.md")
    assert deployed.plan().reason == "modules: changed modules/model.py"
    assert deployed.plan().kind == "partial"


def test_a_change_that_is_taken_back_needs_no_deploy(deployed: Checkout) -> None:
    push(deployed, "pipeline/pipeline.py")
    run_git(deployed.root, "-c", "user.name=t", "-c", "user.email=t@example.test", "revert", "--no-edit", "HEAD")
    assert deployed.plan().kind == "none"


def test_a_merge_of_what_is_deployed_needs_none_either(deployed: Checkout) -> None:
    write(deployed.root / "modules" / "model.py", "edited\n")
    deployed.deploy()
    commit_all(deployed.root)
    assert deployed.plan().kind == "none"


def test_a_forced_push_is_a_full_deploy_and_a_partial_one_is_refused(deployed: Checkout) -> None:
    amend = ["commit", "--quiet", "--amend", "--message", "another"]
    run_git(deployed.root, "-c", "user.name=t", "-c", "user.email=t@example.test", *amend)
    plan = deployed.plan()
    assert (plan.kind, plan.changes) == ("full", [])
    with pytest.raises(PlanError, match="A full deploy is needed: commit .* is not in the history of what is here"):
        decide(plan, "partial", force=False)


def test_a_partial_deploy_before_any_full_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="A full deploy is needed: nothing is deployed yet"):
        decide(make_checkout(tmp_path / "clone").plan(), "partial", force=False)


def test_an_older_push_that_comes_second_does_not_replace_the_newer(deployed: Checkout) -> None:
    push(deployed, "modules/model.py")
    newer = run_git(deployed.root, "rev-parse", "HEAD")
    deployed.deploy()
    run_git(deployed.root, "checkout", "--quiet", "HEAD~1")
    plan = deployed.plan()
    assert plan.older
    with pytest.raises(PlanError, match="is older than what release"):
        decide(plan, "auto", force=False)
    assert decide(plan, "auto", force=True) == "partial"
    run_git(deployed.root, "checkout", "--quiet", newer)
    assert deployed.plan().kind == "none"

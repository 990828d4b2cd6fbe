from typing import Any

import pytest

from esteira.deploy.decide import decide
from esteira.errors import PlanError
from esteira.release.plan import Plan


def plan(kind: str, **values: Any) -> Plan:
    empty = {"reasons": [], "changes": [], "parts": {}, "commit": "c" * 40, "dirty": False, "generation": 1}
    return Plan(**{**empty, "kind": kind, "parent": "0123456789ab", "older": False, **values})


@pytest.mark.parametrize("kind", ["partial", "full"])
def test_a_deploy_does_what_the_plan_says(kind: str) -> None:
    assert decide(plan(kind), "auto", force=False) == kind


@pytest.mark.parametrize("wanted", ["auto", "partial"])
def test_nothing_is_deployed_twice_unless_it_is_forced(wanted: Any) -> None:
    assert decide(plan("none"), wanted, force=False) is None
    assert decide(plan("none"), wanted, force=True) == "partial"


@pytest.mark.parametrize("kind", ["none", "partial", "full"])
def test_a_full_deploy_may_always_run(kind: str) -> None:
    assert decide(plan(kind), "full", force=False) == "full"


@pytest.mark.parametrize("force", [False, True])
def test_a_partial_deploy_is_refused_with_the_reason_where_a_full_one_is_needed(force: bool) -> None:
    with pytest.raises(PlanError) as caught:
        decide(plan("full", reasons=["nothing is deployed yet"]), "partial", force=force)
    assert str(caught.value) == "A full deploy is needed: nothing is deployed yet.\nRun: make deploy-full"


@pytest.mark.parametrize("wanted", ["auto", "partial", "full"])
def test_an_older_commit_takes_force(wanted: Any) -> None:
    with pytest.raises(PlanError, match="commit ccccccc is older than what release 0123456789ab was made of"):
        decide(plan("full", older=True), wanted, force=False)


def test_an_older_commit_with_nothing_to_deploy_is_no_error() -> None:
    assert decide(plan("none", older=True), "auto", force=False) is None


def test_force_brings_an_older_commit_back() -> None:
    assert decide(plan("full", older=True), "auto", force=True) == "full"

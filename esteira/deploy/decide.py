"""What a deploy does, by its plan and by what was asked for."""

from typing import Optional

from typing_extensions import Literal

from esteira.errors import PlanError
from esteira.release.plan import Plan

Wanted = Literal["auto", "partial", "full"]
Kind = Literal["partial", "full"]

# The target of make by which each is asked for.
TASKS = {"auto": "deploy", "partial": "deploy-partial", "full": "deploy-full"}


def decide(plan: Plan, wanted: Wanted, *, force: bool) -> Optional[Kind]:
    """Return the kind of build to run, None if there is nothing to deploy.

    Raises PlanError if an older commit would replace a newer one, or if a partial
    deploy was asked for and a full one is needed.
    """
    if plan.kind == "none" and wanted != "full" and not force:
        return None
    if plan.older and not force:
        raise PlanError(
            f"commit {plan.commit[:7]} is older than what release {plan.parent} was made of, "
            "so that deploying it would bring back an older state.\n"
            "To go back to a release: make rollback    To deploy this commit all the same: FORCE=1"
        )
    if wanted == "full":
        return "full"
    if plan.kind == "full":
        if wanted == "partial":
            raise PlanError(f"A full deploy is needed: {plan.reason}.\nRun: make deploy-full")
        return "full"
    return "partial"

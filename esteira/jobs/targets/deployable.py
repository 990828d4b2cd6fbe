"""What can be compiled and not be deployed."""

from esteira.errors import CompileError
from esteira.jobs.targets.legacy import LEGACY, SHUT_DOWN
from esteira.jobs.targets.serving import check_pusher
from esteira.settings import Settings


def check_deployable(settings: Settings) -> None:
    """Raise CompileError if the target that the settings choose cannot be deployed to; on `local` it always can."""
    if settings.is_local:
        return
    if settings.cloud.target == "ai_platform":
        raise CompileError(
            f"{LEGACY}: AI Platform was shut down on {SHUT_DOWN}: nothing can be deployed to it.\n"
            'Expected cloud.target = "vertex" in esteira.toml. '
            f"To look at the job of the legacy form: make job ENV={settings.selected}"
        )
    if settings.endpoint.by == "pusher":
        check_pusher(settings)

"""The run of the last deploy to Google Cloud, as `make status` tells of it."""

from typing import TYPE_CHECKING, Dict, Iterator, List, Optional

from esteira.errors import GoogleError
from esteira.release.manifest import Frozen, Release
from esteira.settings import Settings

if TYPE_CHECKING:
    from esteira.google.api import Api

UNKNOWN = "unknown"


class RunStatus(Frozen):
    """A run of Vertex AI, `state` in its words, or "unknown" where it cannot be seen; `link` is its page.

    `running` are the tasks that run, `failed` those that failed with why; `error` is why none of them can tell.
    """

    run: str
    state: str
    link: str
    running: List[str]
    failed: Dict[str, str]
    error: str


def run_status(settings: Settings, api: "Api", release: Optional[Release]) -> Optional[RunStatus]:
    """Return how far the run is that a release's build has made, None if it has not come to that."""
    from esteira.google.refusals import NotFoundError
    from esteira.vertex.job import make_run_id
    from esteira.vertex.links import run_link
    from esteira.vertex.runs import run_state

    if release is None:
        return None
    run = make_run_id(settings.pipeline.name, release.id, release.build)
    try:
        found = run_state(api, settings, run)
    except NotFoundError:
        return None
    except GoogleError as error:
        first = str(error).partition("\n")[0]
        return RunStatus(run=run, state=UNKNOWN, link=run_link(settings, run), running=[], failed={}, error=first)
    failed = {task.name: task.error for task in found.tasks if task.state == "failed"}
    return RunStatus(
        run=run,
        state=found.state,
        running=[task.name for task in found.tasks if task.state == "running"],
        failed=failed,
        error="" if failed else found.error,
        link=found.link,
    )


def run_lines(run: RunStatus) -> Iterator[str]:
    """Yield how a run goes, a line for each task that runs or failed."""
    yield f"run        {run.state}: {run.link}"
    yield from (f"           … {name}" for name in run.running)
    yield from (f"           ✗ {name}: {error.partition(chr(10))[0]}" for name, error in run.failed.items())
    if run.error:
        yield f"           {run.error.partition(chr(10))[0]}"

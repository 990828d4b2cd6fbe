"""What is out of the ordinary in a lineage, in sentences."""

from typing import Iterator, Optional

from esteira.release.lineage.values import Lineage
from esteira.release.manifest import Outcome, Release


def list_notes(lineage: Lineage, asked: Release, outcome: Optional[Outcome]) -> Iterator[str]:
    """Yield a sentence for each thing to know; `outcome` is that of the release that ran the job."""
    yield from note_rollback(lineage, asked)
    yield from note_run(lineage, outcome)
    yield from note_model(lineage)


def note_rollback(lineage: Lineage, asked: Release) -> Iterator[str]:
    if lineage.release.id != lineage.origin.id:
        yield (
            f"Release {asked.id} is a rollback: it restores release {lineage.origin.id}, "
            "and what follows is the lineage of that one."
        )
    elif asked.restores:
        yield f"Release {asked.restores}, which it restores, is no longer in the history."


def note_run(lineage: Lineage, outcome: Optional[Outcome]) -> Iterator[str]:
    if not lineage.run:
        yield "It was never run: its deploy was stopped or killed before."
    elif outcome is None:
        yield f"What came of run {lineage.run} is not known: it still runs, or its deploy was killed."
    elif outcome.run != lineage.run:
        yield f"The release was run again later; its outcome is that of run {outcome.run}."
    elif not outcome.evaluation and not outcome.blessed:
        yield f"Its run failed: {first_line(outcome.error)}"
    elif not outcome.blessed:
        yield f"Its model is not blessed, so it was not served: {'; '.join(outcome.error.splitlines())}"
    if lineage.run and not lineage.tasks:
        yield f"The metadata of run {lineage.run} is not at hand, so its tasks and artifacts are not shown."


def note_model(lineage: Lineage) -> Iterator[str]:
    model, baseline = lineage.model, lineage.baseline
    if model and model.run != lineage.run:
        yield (f"Run {model.run} {of_release(model.release)} made the model; run {lineage.run} took it from the cache.")
    if model and baseline and model.uri and baseline.uri == model.uri:
        yield "The model was compared with itself: it was the latest blessed one already."


def of_release(release: str) -> str:
    return f"of release {release}" if release else "(its release is no longer in the history)"


def first_line(text: str) -> str:
    return text.splitlines()[0] if text else "no reason was kept"

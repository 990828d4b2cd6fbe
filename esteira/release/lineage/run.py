"""A run as its lineage shows it: tasks, artifacts, and the verdict on its model."""

import time
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from esteira.clock import FORMAT
from esteira.release.lineage.records import (
    MODEL,
    PUSHED_DESTINATION,
    PUSHED_MODEL,
    ArtifactRecord,
    TaskRecord,
    artifacts_in,
    lies_at,
    places_given,
)
from esteira.release.lineage.values import Done, Made, ModelOrigin, Verdict
from esteira.release.manifest import Outcome, Part, Release

# The state of an artifact whose files make gc removed.
DELETED = "DELETED"
BLESSING = "tfx.ModelBlessing"
EVALUATION = "tfx.ModelEvaluation"
# The keys of the Evaluator's inputs.
JUDGED = "model"
BASELINE = "baseline_model"
STATES = {"COMPLETE": "executed", "FAILED": "failed", "CANCELLED": "cancelled", "RUNNING": "running"}


def release_of_run(run: str, history: Sequence[Release]) -> str:
    """Return the release whose job a run executed, "" if the history holds it no more."""
    # Here a run's name begins with its release, on Vertex AI with the pipeline.
    named = [release.id for release in history if f"-{release.id}-" in f"-{run}"]
    return named[0] if named else ""


def list_tasks(tasks: Sequence[TaskRecord], parts: Mapping[str, Part]) -> Tuple[Done, ...]:
    return tuple(describe_task(task, parts) for task in tasks)


def describe_task(task: TaskRecord, parts: Mapping[str, Part]) -> Done:
    given = places_given(task)
    return Done(
        name=task.task,
        state=state_of(task, parts),
        cached_from=task.cached_from,
        started=time.strftime(FORMAT, time.gmtime(task.started_s)),
        duration_s=None if task.finished_s is None else round(task.finished_s - task.started_s, 3),
        parts=tuple(name for name, part in parts.items() if any(lies_at(place, part.uri) for place in given)),
        inputs=named_artifacts(task.inputs),
        outputs=named_artifacts(task.outputs),
    )


def state_of(task: TaskRecord, parts: Mapping[str, Part]) -> str:
    """Return what a task did, in a word: see `Done`."""
    if task.cached_from:
        return "cached"
    if task.state in STATES and task.state != "COMPLETE":
        return STATES[task.state]
    places = [artifact.uri for _, artifact in artifacts_in(task.outputs)]
    if places and all(any(lies_at(place, part.uri) for part in parts.values()) for place in places):
        return "imported"
    return STATES.get(task.state, "resolved")


def named_artifacts(artifacts: Mapping[str, Tuple[ArtifactRecord, ...]]) -> Tuple[Tuple[str, str], ...]:
    return tuple((key, artifact.name) for key, artifact in artifacts_in(artifacts))


def list_artifacts(tasks: Sequence[TaskRecord], history: Sequence[Release]) -> Tuple[Made, ...]:
    """Return what went in and out of tasks, each artifact once, in the order of the tasks."""
    found: Dict[str, ArtifactRecord] = {}
    for task in tasks:
        for _, artifact in artifacts_in(task.outputs) + artifacts_in(task.inputs):
            found.setdefault(artifact.name, artifact)
    return tuple(
        Made(
            name=artifact.name,
            type=artifact.type,
            uri=artifact.uri,
            removed=artifact.state == DELETED,
            metadata=artifact.metadata,
            task=artifact.task,
            run=artifact.run,
            release=release_of_run(artifact.run, history),
        )
        for artifact in found.values()
    )


def has_ended_well(task: TaskRecord) -> bool:
    """Return whether a task made its outputs, or took them from the cache; a resolver only finds them."""
    return task.state == "COMPLETE" or bool(task.cached_from)


def judge_of(tasks: Sequence[TaskRecord]) -> Optional[TaskRecord]:
    """Return the task that judged the run's model, None if the run did not get that far."""
    judges = [task for task in tasks if has_ended_well(task) and outputs_of_type(task, BLESSING)]
    return judges[-1] if judges else None


def outputs_of_type(task: TaskRecord, kind: str) -> List[ArtifactRecord]:
    return [artifact for _, artifact in artifacts_in(task.outputs) if artifact.type == kind]


def find_model(
    tasks: Sequence[TaskRecord], outcome: Optional[Outcome], run: str, history: Sequence[Release]
) -> Optional[ModelOrigin]:
    """Return the model of a run, judged or not, and where it was pushed to; None if the run made none."""
    judge = judge_of(tasks)
    pushed = pushed_place(tasks) or (outcome.model if outcome else "")
    trained = [model for task in tasks if has_ended_well(task) for model in outputs_of_type(task, MODEL)]
    found = list(judge.inputs.get(JUDGED, ()) if judge else ()) or trained[-1:]
    if found:
        return model_origin(found[0], pushed, history)
    return ModelOrigin("", pushed, run, release_of_run(run, history)) if pushed else None


def pushed_place(tasks: Sequence[TaskRecord]) -> str:
    """Return where a run pushed its model, "" if it did not: the Pusher of an unblessed one ends well too."""
    pushed = [model for task in tasks if has_ended_well(task) for model in outputs_of_type(task, PUSHED_MODEL)]
    places = [str(model.metadata.get(PUSHED_DESTINATION, "")) for model in pushed]
    return next((place for place in places if place), "")


def find_baseline(
    tasks: Sequence[TaskRecord], outcome: Optional[Outcome], history: Sequence[Release]
) -> Optional[ModelOrigin]:
    """Return the earlier model that a run's model was compared with; None if there was none."""
    judge = judge_of(tasks)
    found = judge.inputs.get(BASELINE, ()) if judge else ()
    if found:
        return model_origin(found[0], "", history)
    reported = outcome.evaluation.get("baseline") if outcome else None
    return ModelOrigin(str(reported), "", "", "") if reported else None


def model_origin(model: ArtifactRecord, pushed: str, history: Sequence[Release]) -> ModelOrigin:
    return ModelOrigin(model.uri, pushed, model.run, release_of_run(model.run, history))


def verdict_on(tasks: Sequence[TaskRecord], outcome: Optional[Outcome]) -> Optional[Verdict]:
    """Return the verdict on a run's model, None if it came to none.

    Without an outcome, as of a run whose deploy was killed, only the blessing is known.
    """
    judge = judge_of(tasks)
    blessings = outputs_of_type(judge, BLESSING) if judge else []
    evaluations = outputs_of_type(judge, EVALUATION) if judge else []
    if not blessings and not (outcome and outcome.evaluation):
        return None
    return Verdict(
        blessed=outcome.blessed if outcome else bool(blessings[0].metadata.get("blessed")),
        error=outcome.error if outcome else "",
        task=blessings[0].task if blessings else "",
        run=blessings[0].run if blessings else "",
        uri=evaluations[0].uri if evaluations else "",
        report=outcome.evaluation if outcome else {},
    )

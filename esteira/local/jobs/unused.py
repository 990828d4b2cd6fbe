"""What runs of releases that are gone left behind: folders of the pipeline root, and logs."""

import re
from pathlib import Path
from typing import AbstractSet, Iterator, List, NamedTuple, Set

from esteira.local.jobs.resolver import matching
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import Query
from esteira.local.jobs.store import Store, context_name

# As esteira/jobs/run.py names the runs of a release. Any other was made by hand, and stays.
RUN = re.compile(r"([0-9a-f]{12})-[0-9]{8}T[0-9]{6}")
# What TFX's LatestBlessedModelStrategy asks for, with the context that esteira/jobs/bind.py adds.
BLESSED = 'schema_title="tfx.ModelBlessing" AND state=LIVE AND metadata.blessed.number_value=1'
MODEL = 'schema_title="tfx.Model" AND state=LIVE AND name="{}"'
MODEL_NAME = "current_model_id"


class KeptRuns(NamedTuple):
    """The runs that stay: those of `releases`, and `runs` besides."""

    releases: AbstractSet[str]
    runs: AbstractSet[str]

    def has(self, run: str) -> bool:
        return run in self.runs or not release_of(run) or release_of(run) in self.releases


def release_of(run: str) -> str:
    """Return the id of the release that a run was started for, "" for one that was made by hand."""
    named = RUN.fullmatch(run)
    return named.group(1) if named else ""


def unused_folders(store: Store, root: Path, pipeline: str, kept: KeptRuns) -> List[Path]:
    """Return the folders of executions below `root`, a pipeline's, that nothing needs any more.

    Needed is what a run that stays refers to, and the model that a resolver would give as baseline.
    """
    used = {Path(folder) for run, folder in store.execution_folders() if kept.has(run)}
    for place in [*places_of(store, kept), *baseline_places(store, pipeline)]:
        used.update([Path(place), *Path(place).parents])
    folders = [Path(folder) for run, folder in store.execution_folders() if not kept.has(run)]
    return sorted(folder for folder in folders if root in folder.parents and folder not in used and folder.is_dir())


def places_of(store: Store, kept: KeptRuns) -> Iterator[str]:
    """Yield where the artifacts that the runs that stay made, read or took from the cache lie."""
    return (artifact.uri for run, artifact in store.artifacts_by_run() if kept.has(run))


def baseline_places(store: Store, pipeline: str) -> Iterator[str]:
    """Yield where the blessing and the model lie that the next run of the pipeline is compared with."""
    context = f' AND in_context("{context_name(pipeline)}")'
    for blessing in first(store, BLESSED + context):
        yield blessing.uri
        for model in first(store, MODEL.format(blessing.metadata.get(MODEL_NAME, "")) + context):
            yield model.uri


def first(store: Store, text: str) -> List[Artifact]:
    return list(matching(store, text, Query(text, 1), "the baseline"))


def unused_logs(store: Store, logs: Path, root: Path, kept: KeptRuns, removed: AbstractSet[str]) -> List[Path]:
    """Return the log folders of runs that ran below `root`, or are of `removed` releases, and don't stay."""
    known: Set[str] = {run for run, folder in store.execution_folders() if root in Path(folder).parents}
    return sorted(
        folder
        for folder in logs.glob("*/")
        if not kept.has(folder.name) and (folder.name in known or folder.name.partition("-")[0] in removed)
    )

"""Runs made by hand: executions, artifacts and folders as the job runner leaves them."""

from pathlib import Path
from typing import Dict, List, Optional, Tuple

from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import ArtifactType
from esteira.local.jobs.store import Store as MetadataStore
from esteira.settings import Settings

TITLES = {"Examples": "tfx.Examples", "Trainer": "tfx.Model", "Evaluator": "tfx.ModelBlessing"}
Source = Tuple[int, Artifact]


class Runs:
    """Keeps runs of three tasks in the metadata store; some take their examples from an earlier run's cache."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.path = settings.state / "metadata.sqlite"

    def add(self, run: str, *, blessed: bool = True, cached: Optional[Source] = None, model: str = "") -> Source:
        """Add a run that pushed to `model`; return its execution that made, or took from the cache, the examples."""
        (self.settings.state / "logs" / "runs" / run).mkdir(parents=True, exist_ok=True)
        (self.settings.state / "logs" / "runs" / run / "Trainer.log").write_text("trained")
        with MetadataStore(self.path) as store:
            store.add_context(self.settings.pipeline.name, "system.Pipeline")
            source = self._reuse(store, run, cached) if cached else self._execute(store, run, "Examples", {})
            inputs = {"examples": [source[1]]}
            _, trained = self._execute(store, run, "Trainer", {"pushed_destination": model}, inputs)
            verdict = {"blessed": int(blessed), "current_model_id": trained.name}
            self._execute(store, run, "Evaluator", verdict, {**inputs, "model": [trained]})
        return source

    def _execute(
        self,
        store: MetadataStore,
        run: str,
        task: str,
        metadata: Dict[str, object],
        inputs: Optional[Dict[str, List[Artifact]]] = None,
    ) -> Source:
        execution, folder = store.start_execution(run, task, str(self.settings.folder / "root"), {})
        kind = ArtifactType(TITLES[task], {"instanceSchema": f"title: {TITLES[task]}\n"})
        artifact = store.add_output(execution, "out", kind, str(folder / "out"), dict(metadata))
        (folder / "out").mkdir(parents=True)
        (folder / "out" / "file").write_text(task)
        contexts = [self.settings.pipeline.name]
        store.complete_execution(
            execution, inputs or {}, {"out": [artifact]}, contexts=contexts, cache_key=f"key of {run} {task}"
        )
        return execution, artifact

    def _reuse(self, store: MetadataStore, run: str, cached: Source) -> Source:
        execution, _ = store.start_execution(run, "Examples", str(self.settings.folder / "root"), {})
        contexts = [self.settings.pipeline.name]
        store.reuse_execution(execution, cached[0], {}, {"out": [cached[1]]}, contexts=contexts)
        return cached

    def folders(self, run: str) -> List[Path]:
        """Return the folders of all that a run made or took, as they must lie there for it to be whole."""
        with MetadataStore(self.path) as store:
            made = [Path(folder) for other, folder in store.execution_folders() if other == run]
            used = [Path(artifact.uri) for other, artifact in store.artifacts_by_run() if other == run]
        # A task that was taken from the cache has left no folder.
        return [folder for folder in made if not folder.name.startswith("Examples")] + used

"""A history with its runs: manifests in a folder, and metadata that its own store wrote."""

from typing import Any, Dict, List, Optional, Sequence

from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import ArtifactType
from esteira.local.jobs.store import Store as Metadata
from esteira.release.history import keep_release, make_current, read_pointer
from esteira.release.inputs import Inputs, lay_inputs
from esteira.release.manifest import PATCH, Outcome, Part, Release, identified
from esteira.release.store import open_store
from esteira.settings import Settings

Outputs = Dict[str, List[Artifact]]
METRICS = {"accuracy": 0.81, "example_count": 580.0, "macro_f1": 0.52}


class Scene:
    """Releases are made one after the other, each a minute after the one before."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = open_store(settings)
        self.metadata_path = settings.state / "metadata.sqlite"
        self.root = f"{settings.bucket}/root"
        self.minute = 0

    def part(self, name: str, seed: str, folder: str = "", **values: Any) -> Part:
        inputs = Inputs(name, {f"{name}/{seed}.py": f"100644 {seed}"}, values)
        lay_inputs(self.store, {name: inputs})
        content = f"sha256:{inputs.digest[7:][::-1]}" if folder else ""
        uri = f"{self.store.uri}/{folder}/{content[7:]}" if folder else ""
        return Part(digest=inputs.digest, content=content, uri=uri)

    def parts(self, **seeds: str) -> Dict[str, Part]:
        """Return the parts of a release; a part whose seed is another differs."""
        folders = {"modules": "modules", "data": "data", "hyperparameters": "best_hyperparameters"}
        names = ("image", "job", "modules", "data", "hyperparameters", "settings")
        return {name: self.part(name, seeds.get(name, "1"), folders.get(name, "")) for name in names}

    def release(self, outcome: bool = True, blessed: bool = True, **fields: Any) -> Release:
        """Keep a release and, with an outcome, what its run came to."""
        self.minute += 1
        at = f"2026-11-22T21:{self.minute:02}:00Z"
        known = {"kind": "full", "commit": "c" * 40, "dirty": False, "by": "ana@laptop", "reason": "a change"}
        release = identified(
            Release(**{"id": "", "pipeline": "sentiment", "at": at, "parts": self.parts(), **known, **fields})
        )
        if outcome:
            release = release.copy(update={"outcome": self.outcome(release, blessed)})
        if release.dirty:
            self.store.write(f"releases/{release.id}/{PATCH}", b"diff")
        return keep_release(self.store, release)

    def outcome(self, release: Release, blessed: bool) -> Outcome:
        threshold = {
            "metric": "macro_f1",
            "kind": "value",
            "value": 0.52,
            "bound": 0.4,
            "baseline": None,
            "passed": blessed,
        }
        return Outcome(
            run=run_of(release),
            at=release.at,
            blessed=blessed,
            error="" if blessed else "macro_f1 is 0.520, expected ≥ 0.900 (baseline none)",
            evaluation={"blessed": blessed, "baseline": None, "metrics": METRICS, "thresholds": [threshold]},
            model=f"{self.store.uri}/serving/{release.id}" if blessed else "",
            logs=f"/logs/{run_of(release)}",
        )

    def make_current(self, release: Release) -> None:
        make_current(self.store, release.id, if_generation=read_pointer(self.store).generation)

    def run(
        self, release: Release, *, cached: Sequence[str] = (), blessed: bool = True, baseline: Optional[Artifact] = None
    ) -> Outputs:
        """Write the metadata of a release's run, and return its artifacts by task.

        The tasks in `cached` take what the latest complete execution of the same task put out.
        """
        with Metadata(self.metadata_path) as metadata:
            run = Run(metadata, run_of(release), self.root, cached)
            data, hyperparameters = release.parts["data"].uri, release.parts["hyperparameters"].uri
            module = f"{release.parts['modules'].uri}/modules.py"
            examples = run.task("ExampleGen", {}, {"examples": "tfx.Examples"}, input_base=data)
            schema = run.importer("schema_importer", "tfx.Schema", f"{data}/schema")
            found = run.importer("hyperparameters_importer", "tfx.HyperParameters", hyperparameters)
            resolved = run.resolver("resolver", {"model": [baseline]} if baseline else {})
            trained = run.task(
                "Trainer",
                {**examples, "schema": schema, "hyperparameters": found},
                {"model": "tfx.Model", "model_run": "tfx.ModelRun"},
                module_file=module,
            )
            compared = {"baseline_model": resolved["model"]} if resolved else {}
            judged = run.task(
                "Evaluator",
                {**examples, "model": trained["model"], **compared},
                {"blessing": "tfx.ModelBlessing", "evaluation": "tfx.ModelEvaluation"},
                metadata={"blessed": float(blessed)},
            )
            pushed = {"pushed_destination": f"{self.store.uri}/serving/{release.id}"} if blessed else {}
            run.task(
                "Pusher",
                {"model": trained["model"], "model_blessing": judged["blessing"]},
                {"pushed_model": "tfx.PushedModel"},
                metadata=pushed,
            )
        return run.outputs


class Run:
    """A run that is written task by task, in the way that the scheduler does it."""

    def __init__(self, metadata: Metadata, run: str, root: str, cached: Sequence[str] = ()) -> None:
        self.metadata = metadata
        self.run = run
        self.root = root
        self.cached = cached
        self.outputs: Outputs = {}

    def task(
        self,
        name: str,
        inputs: Outputs,
        outputs: Dict[str, str],
        metadata: Optional[Dict[str, Any]] = None,
        **parameters: str,
    ) -> Outputs:
        execution, folder = self.metadata.start_execution(self.run, name, self.root, parameters)
        if name in self.cached:
            source, _ = next(iter(self.metadata.find_complete(name)))
            known = {
                key: [artifact for artifact, _, _ in found] for key, found in self.metadata.outputs_of(source).items()
            }
            self.metadata.reuse_execution(execution, source, inputs, known, contexts=[])
            self.outputs.update({f"{name}.{key}": found for key, found in known.items()})
            return known
        made = {
            key: [self.metadata.add_output(execution, key, type_of(title), str(folder / key), metadata or {})]
            for key, title in outputs.items()
        }
        self.metadata.complete_execution(execution, inputs, made, contexts=[], cache_key=name)
        self.outputs.update({f"{name}.{key}": found for key, found in made.items()})
        return made

    def importer(self, name: str, title: str, uri: str) -> List[Artifact]:
        execution, _ = self.metadata.start_execution(self.run, name, self.root, {"artifact_uri": uri})
        known = [artifact for artifact, _, _ in self.metadata.find_artifacts(title, uri)]
        if known:
            self.metadata.reuse_execution(execution, 0, {}, {"result": known}, contexts=[])
            return known
        made = [self.metadata.add_output(execution, "result", type_of(title), uri, {})]
        self.metadata.complete_execution(execution, {}, {"result": made}, contexts=[])
        return made

    def resolver(self, name: str, found: Outputs) -> Outputs:
        execution, _ = self.metadata.start_execution(self.run, name, self.root, {})
        self.metadata.reuse_execution(execution, 0, {}, found, contexts=[])
        return found

    def failing(self, name: str, **parameters: str) -> None:
        execution, _ = self.metadata.start_execution(self.run, name, self.root, parameters)
        self.metadata.end_execution(execution, "FAILED")


def run_of(release: Release) -> str:
    return f"{release.id}-20261122T2130{release.at[14:16]}"


def type_of(title: str) -> ArtifactType:
    return ArtifactType(title, {"instanceSchema": f"title: {title}\n"})

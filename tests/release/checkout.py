"""A small repository in the shape of this one, and what is deployed of it, for tests of plans."""

from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, Tuple

from esteira.data.user_csv import find_csv
from esteira.release.history import keep_release, make_current
from esteira.release.inputs import Inputs, inputs_here, lay_inputs
from esteira.release.manifest import Part, Release, identified
from esteira.release.partition import LEFT_OUT, PATTERNS
from esteira.release.plan import Plan, make_plan
from esteira.release.store import open_store
from esteira.settings import Settings, load_settings
from esteira.source import Source, frozen_source
from esteira.source.patch import source_patch
from tests.repositories import make_repository

# One file or two of each part, and some of none.
FILES = {
    ".gitignore": "/.esteira/\n*.log\n",
    "README.md": "read me\n",
    "cloudbuild/full.yaml.j2": "steps:\n",
    "cloudbuild/full.yaml": "steps: rendered\n",
    "docker/runtime.toml": "base\n",
    "esteira.toml": "",
    "esteira/edge.py": "edge\n",
    "esteira/data/prepare.py": "prepare\n",
    "modules/__init__.py": "package\n",
    "modules/best_hyperparameters/best.txt": "units 8\n",
    "modules/create_dataset.py": "create\n",
    "modules/dataset.txt": "dataset\n",
    "modules/model.py": "model\n",
    "modules/deep/features.py": "features\n",
    "pipeline/pipeline.py": "pipeline\n",
    "pipeline/schema.pbtxt": 'feature { name: "label" domain: "labels" }\nstring_domain { name: "labels" }\n',
    "requirements.lock": "lock\n",
    "tasks.py": "tasks\n",
}


class Checkout:
    """A clone that a person works in, with a state folder of its own."""

    def __init__(self, root: Path, state: Path) -> None:
        self.root = root
        self.state = state

    def settings(self, **flags: str) -> Settings:
        """Return the settings, `training__epochs="2"` standing for --set training.epochs=2."""
        given = {key.replace("__", "."): value for key, value in flags.items()}
        return load_settings(self.root, {"ESTEIRA_STATE": str(self.state)}, given)

    @contextmanager
    def frozen(self, **flags: str) -> Iterator[Tuple[Plan, Source, Dict[str, Inputs]]]:
        settings = self.settings(**flags)
        with frozen_source(self.root, self.state, str(find_csv(settings) or "")) as source:
            inputs = inputs_here(settings, source)
            yield make_plan(settings, open_store(settings), source, inputs), source, inputs

    def plan(self, **flags: str) -> Plan:
        with self.frozen(**flags) as (plan, _, _):
            return plan

    def deploy(self, **flags: str) -> Release:
        """Leave in the store what a plan looks at after a deploy; product.py has one that lays the parts down."""
        store = open_store(self.settings(**flags))
        with self.frozen(**flags) as (plan, source, inputs):
            lay_inputs(store, inputs)
            release = identified(
                Release(
                    id="",
                    pipeline="sentiment",
                    commit=plan.commit,
                    dirty=plan.dirty,
                    kind="full" if plan.kind == "full" else "partial",
                    parent=plan.parent,
                    parts={name: Part(digest=digest) for name, digest in plan.parts.items()},
                    reason=plan.reason,
                    at="2026-11-22T21:30:41Z",
                )
            )
            store.write(f"releases/{release.id}/source.patch", source_patch(source, PATTERNS, LEFT_OUT))
        keep_release(store, release)
        make_current(store, release.id, if_generation=plan.generation)
        return release


def make_checkout(folder: Path) -> Checkout:
    """Make the repository, committed and clean, in a new folder; its state lies beside it."""
    return Checkout(make_repository(folder, FILES), folder.with_name(f"{folder.name}-state"))

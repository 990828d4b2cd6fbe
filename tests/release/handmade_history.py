"""Histories made by hand: releases with their parts and models in a store, and no run behind them."""

import json
import tempfile
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from esteira.jobs.bundle import bundle_modules
from esteira.release.digest import digest_bytes
from esteira.release.history import keep_release, make_current, read_pointer
from esteira.release.inputs import Inputs, lay_inputs
from esteira.release.manifest import JOB, PATCH, Outcome, Part, Release, identified
from esteira.release.parts import BUNDLE, lay_part
from esteira.release.store.interface import Store

BY = "ana@laptop"
FILES = {"modules/__init__.py": "", "modules/model.py": "LAYERS = 1\n"}
FIGURES = {"accuracy": 0.8125, "macro_f1": 0.5, "example_count": 1290.0}


def moment_of(number: int) -> str:
    return f"2026-11-{1 + number // 1440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00Z"


def evaluation_of(blessed: bool, **figures: float) -> Dict[str, Any]:
    thresholds = [
        {"metric": name, "kind": "value", "value": FIGURES[name], "bound": 0.4, "baseline": None, "passed": blessed}
        for name in ("accuracy", "macro_f1")
    ]
    metrics = {**FIGURES, **figures}
    return {"blessed": blessed, "metrics": metrics, "baseline_metrics": None, "thresholds": thresholds}


class History:
    """Makes releases in a store, one minute after the other."""

    def __init__(self, store: Store, pipeline: str = "sentiment") -> None:
        self.store = store
        self.pipeline = pipeline
        self.made = 0

    def deploy(
        self,
        *,
        blessed: Optional[bool] = True,
        failed: bool = False,
        serve: Optional[bool] = None,
        values: Optional[Mapping[str, Any]] = None,
        modules: Optional[Mapping[str, str]] = None,
        data: str = "text,label\n",
        units: int = 32,
        kind: str = "full",
        commit: str = "",
        dirty: bool = False,
        **figures: float,
    ) -> Release:
        """Add a release; `blessed` None is one whose run is not over. A blessed one is served."""
        self.made += 1
        parts = {
            "image": self.listed("image", {"esteira/edge.py": "100644 1"}, {}),
            "settings": self.listed("settings", {}, {"serving.max_batch": 64}),
            "job": self.laid("job", {JOB: "{}"}, {"training.epochs": 8, **(values or {})}),
            "modules": self.modules(modules or FILES),
            "data": self.laid("data", {"train/train.csv": data, "schema/schema.pbtxt": ""}, {}),
            "hyperparameters": self.laid(
                "hyperparameters", {"best.txt": json.dumps({"space": [], "values": {"units": units}})}, {}
            ),
        }
        parent = read_pointer(self.store).release or None
        release = identified(
            Release(
                id="",
                pipeline=self.pipeline,
                commit=commit or f"{self.made:040x}",
                dirty=dirty,
                kind=kind,
                parent=parent,
                parts=parts,
                reason="modules changed",
                by=BY,
                at=moment_of(self.made),
            )
        )
        if blessed is not None:
            release = release.copy(update={"outcome": self.outcome(release.id, blessed, failed, figures)})
        self.store.write(f"releases/{release.id}/{JOB}", b"{}")
        if dirty:
            self.store.write(f"releases/{release.id}/{PATCH}", b"diff")
        keep_release(self.store, release)
        if blessed if serve is None else serve:
            self.serve(release)
        return release

    def serve(self, release: Release) -> None:
        make_current(self.store, release.id, if_generation=read_pointer(self.store).generation)

    def outcome(self, release: str, blessed: bool, failed: bool, figures: Dict[str, float]) -> Outcome:
        run = f"{release}-20261122T19{self.made // 60 % 60:02d}{self.made % 60:02d}"
        if failed:
            return Outcome(run=run, at=moment_of(self.made), blessed=False, error="task Trainer: failed")
        model = f"serving/{1795000000 + self.made}"
        self.lay(model, {"saved_model.pb": "model", "assets/labels.json": "[]"})
        return Outcome(
            run=run,
            at=moment_of(self.made),
            blessed=blessed,
            error="" if blessed else "macro_f1 is 0.300, expected ≥ 0.400",
            evaluation=evaluation_of(blessed, **figures),
            model=f"{self.store.uri}/{model}" if blessed else "",
            logs=f"/logs/{run}",
        )

    def modules(self, files: Mapping[str, str]) -> Part:
        with tempfile.TemporaryDirectory() as scratch:
            for path, text in files.items():
                (Path(scratch) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(scratch) / path).write_text(text)
            bundle = bundle_modules(Path(scratch) / "modules").decode()
        listing = {path: f"100644 {digest_bytes(text.encode())[7:47]}" for path, text in files.items()}
        return self.laid("modules", {BUNDLE: bundle}, {}, listing)

    def laid(
        self,
        name: str,
        files: Mapping[str, str],
        values: Mapping[str, Any],
        made_of: Optional[Mapping[str, str]] = None,
    ) -> Part:
        listing = made_of or {path: f"100644 {digest_bytes(text.encode())[7:47]}" for path, text in files.items()}
        digest = self.listed(name, listing, values).digest
        with tempfile.TemporaryDirectory() as scratch:
            return lay_part(self.store, name, digest, written(Path(scratch), files).items())

    def lay(self, prefix: str, files: Mapping[str, str]) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            self.store.lay_down(prefix, written(Path(scratch), files).items())

    def listed(self, part: str, files: Mapping[str, str], values: Mapping[str, Any]) -> Part:
        """Keep the listing of what a part was made of."""
        inputs = Inputs(part, dict(files), dict(values))
        lay_inputs(self.store, {part: inputs})
        return Part(digest=inputs.digest)


def written(folder: Path, files: Mapping[str, str]) -> Dict[str, Path]:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return {path: folder / path for path in files}

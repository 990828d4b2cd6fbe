"""A store on a folder with releases of toy models, and the server of `make serve` on it."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator

from esteira.release.history import make_current, read_pointer
from esteira.release.manifest import Outcome, Part, Release, identified, manifest_name, write_release
from esteira.release.store.folder import FolderStore
from esteira.settings import load_settings
from tests.conftest import REPOSITORY

WAIT_S = 120


class ToyStore:
    """The store of the environment local below `state`; models are copies of the folder `model_dir`."""

    def __init__(self, state: Path, model_dir: Path) -> None:
        self.state = state
        self.settings = load_settings(REPOSITORY, self.environ(), {})
        self.store = FolderStore(self.settings.folder)
        self._model_dir = model_dir

    def environ(self) -> Dict[str, str]:
        return {"ESTEIRA_STATE": str(self.state), "ESTEIRA_SERVING_PORT": "0", "ESTEIRA_ENV": "local"}

    def add(self, version: int, *, is_broken: bool = False) -> Release:
        """Push a model as `version` and return the release that made it."""
        folder = self.settings.folder / "serving" / str(version)
        shutil.copytree(self._model_dir, folder)
        if is_broken:
            (folder / "saved_model.pb").write_bytes(b"no model")
        return self._write(version, str(folder))

    def restore(self, release: Release) -> Release:
        """Return a rollback's release that brings another one back."""
        assert release.outcome is not None
        return self._write(9, release.outcome.model, restores=release.id, kind="rollback")

    def promote(self, release: Release) -> None:
        make_current(self.store, release.id, if_generation=read_pointer(self.store).generation)

    def _write(self, number: int, model: str, **fields: str) -> Release:
        outcome = Outcome(run=f"run-{number}", at="2026-11-22T21:30:41Z", blessed=True, model=model)
        digest = f"sha256:{number:064x}"
        release = Release(
            id="0" * 12,
            pipeline="sentiment",
            commit="",
            dirty=False,
            kind=fields.pop("kind", "full"),
            parts={"image": Part(digest=digest)},
            at="2026-11-22T21:30:41Z",
            outcome=outcome,
            **fields,
        )
        release = identified(release)
        self.store.write(manifest_name(release.id), write_release(release))
        return release

    @contextmanager
    def server(self) -> "Iterator[subprocess.Popen[bytes]]":
        """Start the server that `make serve` starts, on any free port; kill it at the end."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.serving.toy_store"],
            cwd=REPOSITORY,
            env={**os.environ, **self.environ()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()


def url_of(process: "subprocess.Popen[bytes]") -> str:
    """Return where it listens, once it is ready."""
    assert process.stdout is not None
    return process.stdout.readline().decode().split(" at ")[1].split()[0]


if __name__ == "__main__":
    from esteira.serving.front import serve_here

    serve_here(load_settings(REPOSITORY, os.environ, {}))

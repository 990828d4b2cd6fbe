"""Ours: `make image-runtime` in a clone, in a process of its own, as the Makefile calls it."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict

from bench.images.base import NAME, PYTHON, TAG
from bench.images.builder import Bench, Builder, Made
from bench.images.inputs import AUTHOR
from bench.images.registry import Registry
from bench.images.timed import environment, run_timed
from esteira.git import git
from esteira.images.config import PLATFORM
from esteira.images.layout import Layout
from esteira.images.registry import Reference, open_clients, pull_base

BASES = '[python]\nimage = "docker.io/{name}"\ntag = "{tag}"\ndigest = "{digest}"\npython = "{python}"\n'
DIGEST_LINE = "runtime sha256:"


class Ours(Builder):
    name = "ours"
    joined = True

    def __init__(self, bench: Bench, registry: Registry) -> None:
        super().__init__(bench, registry)
        self.root = bench.inputs.copy(self.folder / "checkout")
        bases = BASES.format(name=NAME, tag=TAG, digest=bench.base, python=PYTHON)
        (self.root / "docker" / "bases.toml").write_text(bases, encoding="utf-8")
        git(self.root, *AUTHOR, "commit", "--quiet", "--all", "--message", "the bench's base")
        # A clone in use has the engine's byte code.
        subprocess.run([sys.executable, "-m", "compileall", "-q", "esteira", "tasks.py"], cwd=self.root, check=True)
        self.state, self.started = self.folder / "state", ""

    def prepare(self) -> None:
        self.pull(self.state)

    @property
    def repository(self) -> str:
        return "runtime"

    def tag(self, made: Made) -> str:
        return made.image

    def pull(self, state: Path) -> None:
        reference = Reference(self.registry.host, NAME, digest=self.bench.base)
        platform = f"{PLATFORM['os']}/{PLATFORM['architecture']}"
        pull_base(reference, platform, Layout(state / "images"), open_clients({}))

    def make(self, *, push: bool = True) -> Made:
        return self.run(self.state, push)

    def make_anew(self) -> Made:
        state = self.folder / "state-2"
        self.pull(state)
        try:
            return self.run(state, push=False)
        finally:
            shutil.rmtree(state)

    def run(self, state: Path, push: bool) -> Made:
        # The environment of this bench is that of the repository: the clone needs none of its own.
        command = [sys.executable, "-m", "invoke", "--write-pyc", "image-runtime"]
        timed = run_timed(
            command, self.log, cwd=self.root, environ=environment(**self.variables(state, push)), mark=DIGEST_LINE
        )
        told = next(line for line in timed.lines if line.startswith(DIGEST_LINE))
        assert timed.mark_s is not None
        build_s = timed.mark_s if push else timed.wall_s
        return Made(told.split()[1].rstrip(","), build_s, timed.wall_s, timed.cpu_s, timed.peak_bytes)

    def variables(self, state: Path, push: bool) -> Dict[str, str]:
        pushing = {"ESTEIRA_IMAGES_REGISTRY": self.registry.host} if push else {}
        mirrors = f"docker.io={self.registry.host}"
        return {"ESTEIRA_STATE": str(state), "ESTEIRA_IMAGES_MIRRORS": mirrors, "PYTHONUTF8": "1", **pushing}

    def start_image(self, made: Made) -> str:
        self.started = f"{self.registry.host}/{self.repository}@{made.image}"
        subprocess.run(["docker", "pull", "--quiet", self.started], stdout=subprocess.DEVNULL, check=True)
        return self.started

    def close(self) -> None:
        if self.started:
            subprocess.run(["docker", "image", "rm", self.started], stdout=subprocess.DEVNULL, check=False)

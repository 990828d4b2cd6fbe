"""`docker build` and `docker push`, with pip and with uv: the classic builder, and BuildKit with a mounted cache."""

import os
import shutil
import subprocess
import time
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Sequence, Set

from bench.images.base import NAME
from bench.images.builder import Bench, Builder, Made
from bench.images.registry import Registry
from bench.images.timed import environment, run_timed

LABEL = "dev.esteira.bench"
# A client of Docker 23 or newer builds with BuildKit only through the plugin buildx.
WITHOUT_PLUGIN = 23
CLOSING_S = 20


class Docker(Builder):
    """The classic builder, which keeps each instruction's result as an image."""

    dockerfile = ""
    buildkit = False

    def __init__(self, bench: Bench, registry: Registry) -> None:
        super().__init__(bench, registry)
        words = {"RUN_ID": bench.run_id, "WHEELS_URL": bench.wheels_url}
        self.root = bench.inputs.context(self.folder / "context", self.dockerfile, **words)
        self.base = f"{registry.host}/{NAME}@{bench.base}"
        self.image = f"{registry.host}/{self.repository}:bench"

    def prepare(self) -> None:
        self.docker("pull", "--quiet", self.base)

    @property
    def program(self) -> str:
        return "docker"

    @property
    def environ(self) -> Dict[str, str]:
        return environment(DOCKER_BUILDKIT=str(int(self.buildkit)))

    def make(self, *, push: bool = True) -> Made:
        return self.build([], push)

    def make_anew(self) -> Made:
        return self.build(["--no-cache"], push=False)

    def build(self, more: Sequence[str], push: bool) -> Made:
        # A build that is broken off leaves no container either.
        command = [self.program, "build", "--force-rm", "--network", "host", "--build-arg", f"BASE={self.base}", *more]
        built = run_timed([*command, "--tag", self.image, str(self.root)], self.log, environ=self.environ)
        pushed_s = 0.0
        if push:
            pushed_s = run_timed([self.program, "push", self.image], self.log, environ=self.environ).wall_s
        image = self.docker("image", "inspect", "--format", "{{.Id}}", self.image)
        return Made(image, built.wall_s, built.wall_s + pushed_s)

    def start_image(self, made: Made) -> str:
        return made.image

    def docker(self, *arguments: str) -> str:
        done = subprocess.run([self.program, *arguments], env=self.environ, stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().strip()

    def close(self) -> None:
        """Remove this run's images, and those alone: what is not labelled as its own stays."""
        for _ in range(CLOSING_S):
            made = self.docker("image", "ls", "--all", "--quiet", "--filter", f"label={LABEL}={self.bench.run_id}")
            if not made:
                break
            remove_images(list(dict.fromkeys(made.split())))
            time.sleep(1)  # until the daemon has let go of a build that was broken off
        remove_images([self.base])


class DockerPip(Docker):
    name = "docker-pip"
    dockerfile = "pip.Dockerfile"


class DockerUv(Docker):
    name = "docker-uv"
    dockerfile = "uv.Dockerfile"


class BuildKitUv(Docker):
    """BuildKit, whose cache of uv lasts from build to build: the strongest that there is."""

    name = "buildkit-uv"
    dockerfile = "uv-cache.Dockerfile"
    buildkit = True

    def __init__(self, bench: Bench, registry: Registry) -> None:
        super().__init__(bench, registry)
        shutil.copy(bench.uv, self.root / "uv")
        self.before = self.cached()

    @property
    def program(self) -> str:
        return buildkit_client() or "docker"

    def cached(self) -> Set[str]:
        """Return the ids of what BuildKit keeps."""
        lines = self.docker("system", "df", "--verbose", "--format", "{{range .BuildCache}}{{.ID}} {{end}}")
        return set(lines.replace("*", "").split())

    def close(self) -> None:
        """Remove what BuildKit has kept since the start, too: first what nothing else is made of."""
        super().close()
        left = self.cached() - self.before
        for _ in range(len(left)):
            for found in sorted(left):
                self.docker("builder", "prune", "--all", "--force", f"--filter=id={found}")
            before, left = left, self.cached() - self.before
            if left in (before, set()):
                return


def remove_images(images: List[str]) -> None:
    """Remove images, and what was made on the way to them, as far as they are there and no other needs them."""
    if images:
        subprocess.run(["docker", "image", "rm", "--force", *images], capture_output=True, check=False)


@lru_cache(maxsize=None)
def buildkit_client() -> str:
    """Return a client that can build with BuildKit, empty if there is none."""
    for folder in os.get_exec_path():
        program = Path(folder, "docker")
        if program.is_file() and can_build(str(program)):
            return str(program)
    return ""


def can_build(program: str) -> bool:
    if subprocess.run([program, "buildx", "version"], capture_output=True, check=False).returncode == 0:
        return True
    done = subprocess.run([program, "version", "--format", "{{.Client.Version}}"], capture_output=True, check=False)
    return int(done.stdout.decode().partition(".")[0] or WITHOUT_PLUGIN) < WITHOUT_PLUGIN


def docker_versions() -> Dict[str, str]:
    """Return the versions of the clients and the daemon, and how that keeps images."""
    client = "{{.Client.Version}}"
    return {
        "docker": told("docker", "version", "--format", client),
        "docker_for_buildkit": told(buildkit_client() or "docker", "version", "--format", client),
        "dockerd": told("docker", "version", "--format", "{{.Server.Version}}"),
        "dockerd_storage": told("docker", "info", "--format", "{{.Driver}}"),
    }


def told(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode().strip()

"""A project of Google Cloud on this machine, with a release that a partial deploy can follow."""

import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List

from esteira.files import write_bytes
from esteira.git import git
from esteira.google.api import Json
from esteira.local.cloud.base import stand_for_bases
from esteira.local.cloud.project import Project, served_project
from esteira.settings import Settings, load_settings

REPOSITORY = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = """
[environments.dev]
project = "demo-project"
region = "europe-west1"
bucket = "demo-bucket"
repository = "images"
"""
PIPELINE = "pipeline"
# What is changed before a deploy, by its kind and by whose way it goes: a person would do so and push.
EDITED = {
    "partial": {"ours": "modules/features.py", "theirs": "modules/features.py"},
    "full": {"ours": "pipeline/pipeline.py", "theirs": "tfx-pipeline/pipeline/pipeline.py"},
}
# A job that ends when it is first looked at: what is timed is over by then.
ENDED = [{"taskId": "1", "taskName": "bench", "state": "FAILED"}]


@dataclass(frozen=True)
class Scene:
    """A repository whose environment `dev` is the served project, and the variables that lead programs there.

    `original` is a repository of the same source, laid out as the original's is; it is made by lay_original.
    """

    repository: Path
    original: Path
    settings: Settings
    project: Project
    environ: Dict[str, str]

    def run(self, *command: str, log: str, folder: str = ".") -> None:
        """Run a command in the repository; SystemExit, with what it wrote, if it fails."""
        done = subprocess.run(
            command,
            cwd=self.repository / folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        (self.repository.parent / f"{log}.log").write_text(done.stdout, encoding="utf-8")
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: left with status {done.returncode}\n{done.stdout[-3000:]}")

    def change(self, repository: Path, name: str, text: str) -> None:
        """Change a file as a person would, by a comment at its end, and commit it."""
        path = repository / name
        code = path.read_text(encoding="utf-8").partition("\n# bench")[0]
        path.write_text(f"{code.rstrip()}\n# bench {text}\n", encoding="utf-8")
        commit(repository, text)

    def prepared_data(self) -> Path:
        """Return the data as the first full deploy prepared it."""
        return self.project.builds.folder / next(iter(self.project.builds.known)) / "workspace" / "build" / "data"

    def build_log(self) -> str:
        """Return the end of what the steps of the last build wrote."""
        logs = self.project.builds.folder / list(self.project.builds.known)[-1] / "logs"
        return "\n".join(path.read_text(encoding="utf-8", errors="replace")[-2000:] for path in sorted(logs.iterdir()))


@contextmanager
def served_scene(folder: Path) -> Iterator[Scene]:
    """Serve a project in which a full deploy has been made, with images upon a base of nothing.

    `folder` keeps images and logs for the next time.
    """
    repository = folder / "repository"
    copy_repository(repository)
    environ = {**os.environ, "ESTEIRA_STATE": str(folder / "state"), "ESTEIRA_VENV": sys.prefix, "ESTEIRA_ENV": "dev"}
    settings = load_settings(repository, environ, {})
    with served_project(settings, folder / "project", environ, ["docker.io"]) as project:
        stand_for_bases(repository, {}, folder / "base", project.variables)
        commit(repository, "What is measured")
        scene = Scene(repository, folder / "original", settings, project, {**environ, **project.variables})
        scene.run("make", "cloud-apply", "ENV=dev", "YES=1", log="apply")
        scene.run("make", "deploy-full", "ENV=dev", log="full")
        project.pipelines.execute = ended
        yield scene


def children_cpu_s() -> float:
    """Return the CPU seconds of the programs that were run and have ended, those of a build's steps among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ended(job: Json) -> Iterator[List[Json]]:
    yield ENDED


def copy_repository(target: Path) -> None:
    """Copy what is here, committed or not, without what git ignores."""
    listed = git(REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        source = REPOSITORY / name
        if source.is_file():
            write_bytes(target / name, source.read_bytes())
            (target / name).chmod(source.stat().st_mode)
    with (target / "esteira.toml").open("a", encoding="utf-8") as settings:
        settings.write(ENVIRONMENT)
    git(target, "init", "--quiet", "--initial-branch", "main")


def commit(repository: Path, message: str) -> None:
    git(repository, "add", "--all")
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    git(repository, *identity, "commit", "--quiet", "--message", message)

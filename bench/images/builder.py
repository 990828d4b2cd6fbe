"""What is compared: a way of making an image and pushing it, and how long each took."""

from dataclasses import dataclass
from pathlib import Path
from typing import List

from bench.images.inputs import Inputs
from bench.images.registry import Registry


@dataclass(frozen=True)
class Made:
    """An image that was made and, where asked for, pushed.

    `build_s` is until its digest was told, `total_s` until all was done, both from a command's start. `image`
    is a digest over all of it. CPU and memory are what the kernel tells of the command, 0 where a daemon works.
    """

    image: str
    build_s: float
    total_s: float
    cpu_s: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True)
class Bench:
    """What all ways work with: a scratch folder, the inputs, the base's digest, and a name for this run."""

    folder: Path
    inputs: Inputs
    base: str
    wheels_url: str
    uv: Path
    run_id: str


class Builder:
    """A way of making the image of what lies in `root`."""

    name = ""
    # Whether one command makes and pushes.
    joined = False

    def __init__(self, bench: Bench, registry: Registry) -> None:
        self.bench = bench
        self.registry = registry
        self.folder = bench.folder / self.name
        self.folder.mkdir()
        self.log = bench.folder / f"{self.name}.log"
        self.root = self.folder

    @property
    def repository(self) -> str:
        """The repository of the registry that it pushes to."""
        return self.name

    def tag(self, made: Made) -> str:
        """Return how the registry names what was pushed: a tag or a digest."""
        return "bench"

    def prepare(self) -> None:
        """Have the base at hand, which is not counted."""

    def make(self, *, push: bool = True) -> Made:
        raise NotImplementedError

    def make_anew(self) -> Made:
        """Make the image from nothing once more, without a push."""
        raise NotImplementedError

    def start_image(self, made: Made) -> str:
        """Return what to give to `docker run`; empty if Docker does not have it."""
        return ""

    def close(self) -> None:
        """Remove everything that it left outside its folder."""


def programs_of(names: List[str]) -> List[str]:
    """Return the programs that some ways need."""
    needed = {"ours": ["git"], "buildah": ["buildah"]}
    return sorted({"docker-registry", *(program for name in names for program in needed.get(name, ["docker"]))})

"""Running the commands of tasks in containers of the job's own image, as Vertex AI does.

A container sees the state folder, and nothing else of this machine: code comes from the image. It is
labelled with the state folder and the run that it belongs to, by which those are found that a killed
run has left.
"""

import itertools
import os
import re
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from esteira.errors import ImageError
from esteira.images.descriptor import Descriptor
from esteira.images.engine.container import (
    Container,
    Mount,
    find_containers,
    remove_containers,
    run_command,
)
from esteira.images.engine.find import Engine, find_engine
from esteira.images.engine.load import image_tag, load_image
from esteira.images.layout import Layout
from esteira.images.media import MANIFESTS
from esteira.release.encoder import encoder_folder
from esteira.settings import Settings

STATE, RUN = "dev.esteira.state", "dev.esteira.run"
IMAGE = re.compile(r"(?P<name>.+)@(?P<digest>sha256:[0-9a-f]{64})")
# The user who calls is unknown to the image: it names no home that they can write to.
USER_ENV = {"HOME": "/tmp", "USER": "esteira", "LOGNAME": "esteira"}


class Containers:
    """Makes the commands that run a run's tasks in containers of one image, which the engine has."""

    def __init__(self, engine: Engine, image: str, state: Path, run_id: str, inputs: Sequence[Path] = ()) -> None:
        self.engine = engine
        self._image = image
        self._state = state
        self._run_id = run_id
        self._mounts = [Mount(state), *(Mount(path, read_only=True) for path in inputs)]
        self._names = container_names(run_id)

    def request(self, command: Sequence[str], env: Mapping[str, str]) -> Dict[str, Any]:
        """Return what the process that starts tasks needs to know to run a command, and to end it."""
        container = Container(
            name=next(self._names),
            image=self._image,
            command=command,
            labels=self._labels(self._run_id),
            env={**USER_ENV, **env},
            mounts=self._mounts,
            as_caller=True,
        )
        return {
            "command": run_command(self.engine, container),
            "end": [*self.engine.removal, container.name],
            "env": dict(self.engine.environ),
        }

    def remove(self) -> None:
        """End and remove all containers of this run."""
        remove_containers(self.engine, find_containers(self.engine, self._labels(self._run_id)))

    def remove_leftovers(self, running: Iterable[str]) -> None:
        """Remove what runs in this state folder have left, but for those of the runs that are `running`."""
        found = find_containers(self.engine, {STATE: str(self._state)})
        for run in running:
            found -= find_containers(self.engine, self._labels(run))
        remove_containers(self.engine, found)

    def _labels(self, run: str) -> Dict[str, str]:
        return {STATE: str(self._state), RUN: run}


def container_names(run_id: str) -> Iterator[str]:
    """Yield names that no other process of this machine gives: a run id may be used in two state folders."""
    return (f"esteira-{run_id}-{os.getpid()}-{number}" for number in itertools.count(1))


def containers_of(
    settings: Settings, image: Optional[str], run_id: str, environ: Mapping[str, str], tell: Callable[[str], None]
) -> Containers:
    """Return what runs the tasks of a run in a job's image, which is given to this machine's engine first.

    `image` is what the job's containers name, NAME@DIGEST. Raises ImageError if there is no engine, no
    such image in the state folder, or the engine does not take it.
    """
    layout = Layout(settings.state / "images")
    name, manifest = find_manifest(layout, image or "")
    engine = find_engine(environ)
    loaded = load_image(layout, manifest, image_tag(name, manifest), engine, tell)
    return Containers(engine, loaded, settings.state, run_id, outside_inputs(settings))


def find_manifest(layout: Layout, image: str) -> Tuple[str, Descriptor]:
    """Return the last part of an image's name, and the manifest of its digest; ImageError if it is not here."""
    named = IMAGE.fullmatch(image)
    path = layout.blob(named["digest"]) if named else None
    if named is None or path is None or not path.is_file():
        raise ImageError(
            f"{image or 'this job'}: is no image in {layout.folder}, and ISOLATION=container runs tasks in one.\n"
            "Expected the image of the release: it was skipped since its base could not be had, or removed since.\n"
            "Run: make deploy-full ISOLATION=container where the base can be had, or take ISOLATION=fork"
        )
    media_type = str(layout.read(named["digest"]).get("mediaType", ""))
    if media_type not in MANIFESTS:
        raise ImageError(f'{path}: is of the type "{media_type}"; expected one image\'s manifest. Run: make images')
    return named["name"].rpartition("/")[2], Descriptor(media_type, named["digest"], path.stat().st_size)


def outside_inputs(settings: Settings) -> List[Path]:
    """Return what tasks read outside of the state folder: a text encoder that is a folder of this machine."""
    folder = encoder_folder(settings.training)
    # One that is lost is told by the task that reads it.
    return [folder] if folder and folder.is_dir() else []

"""Machines that make the images of one repository: one with all wheels at hand, others with nothing and no index."""

from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Tuple

from esteira.images.code import code_of_source
from esteira.images.layout import Layout, layout_of
from esteira.images.make import Made, make_image, open_formers, push_made
from esteira.images.origin import origin_of
from esteira.images.registry.push import Pushed
from esteira.images.registry.reference import Reference, parse_reference
from esteira.settings import Settings, load_settings
from esteira.source import frozen_source
from tests.images.project_made import Project
from tests.images.registry_server import RegistryServer


class Machine(NamedTuple):
    """A state folder and a cache of its own, and what was said there."""

    project: Project
    registry: str
    folder: Path
    said: List[str]

    @property
    def settings(self) -> Settings:
        state = {"ESTEIRA_STATE": str(self.folder / "state")}
        return load_settings(self.project.root, state, {"images.registry": self.registry})

    @property
    def layout(self) -> Layout:
        return layout_of(self.settings)

    @property
    def layers(self) -> List[str]:
        """The digests of the layers that were made here."""
        return sorted(path.parent.name for path in self.layout.folder.glob("layers/*/layer.json"))

    @property
    def fetched(self) -> List[str]:
        """The wheels that lie here."""
        return sorted(path.name for path in self.folder.glob("cache/esteira/wheels/*/*.whl"))

    def make(self, formers: Sequence[Reference] = (), name: str = "runtime") -> Made:
        settings, environ = self.settings, self.environ
        with frozen_source(settings.root, settings.state) as source:
            code, origin = code_of_source(source), origin_of(source)
            images = open_formers(settings, formers, environ)
            return make_image(settings, name, code, origin, environ=environ, say=self.said.append, formers=images)

    def push(self, made: Made) -> Pushed:
        return push_made(self.settings, made, self.registry, self.environ)

    def deploy(self, formers: Sequence[Reference] = (), name: str = "runtime") -> Tuple[Made, Pushed]:
        made = self.make(formers, name)
        return made, self.push(made)

    @property
    def environ(self) -> Dict[str, str]:
        return {**self.project.environ, "XDG_CACHE_HOME": str(self.folder / "cache"), "PIP_NO_INDEX": "1"}

    def reference(self, made: Made) -> Reference:
        """Return an image as the registry has it."""
        return parse_reference(f"{self.registry}/{made.image.name}@{made.digest}")


def empty_machine(project: Project, registry: str, folder: Path) -> Machine:
    """Return a machine that has nothing, and no package index."""
    return Machine(project, registry, folder, [])


def stocked_machine(project: Project, registry: str) -> Machine:
    """Return the machine that has the project's wheels."""
    return Machine(project, registry, project.root.parent, [])


def asked(registry: RegistryServer, before: str) -> List[str]:
    """Return the requests since the log was `before`, as method and path."""
    lines = [line for line in registry.log.read_text(errors="replace")[len(before) :].splitlines() if '"' in line]
    return [line.split('"')[1].rpartition(" ")[0] for line in lines if line.startswith("127.0.0.1 ")]

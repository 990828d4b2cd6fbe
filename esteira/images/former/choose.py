"""Which images a build may take from: those in the registry path that it pushes to, named by digest."""

from typing import Dict, Iterable, List

from esteira.images.registry.reference import Reference, parse_reference
from esteira.settings import Settings


def former_references(settings: Settings, images: Iterable[str]) -> List[Reference]:
    """Return those of some images, as host/path/name@digest, that are in the registry that is set; each once.

    None where containers run here, which need all of an image in the layout.
    """
    if not settings.registry or (settings.is_local and settings.run.isolation == "container"):
        return []
    found: Dict[str, Reference] = {}
    for image in images:
        registry, _, name = image.rpartition("/")
        if registry == settings.registry and "@" in name:
            found[image] = parse_reference(image)
    return list(found.values())

"""Container registries: pulling a base by digest and pushing an image, as the OCI distribution specification has it."""

from esteira.images.registry.client import RegistryClient, open_clients
from esteira.images.registry.pull import PulledImage, pull_base
from esteira.images.registry.push import Pushed, push_image
from esteira.images.registry.reference import Reference, mirrored, parse_reference
from esteira.images.registry.refusals import UnreachableError

__all__ = [
    "PulledImage",
    "Pushed",
    "Reference",
    "RegistryClient",
    "UnreachableError",
    "mirrored",
    "open_clients",
    "parse_reference",
    "pull_base",
    "push_image",
]

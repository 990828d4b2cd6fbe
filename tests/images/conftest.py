"""The registry that the tests of images share."""

from tests.images.registry_server import registry

__all__ = ["registry"]

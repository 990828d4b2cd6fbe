"""The registry that these tests share."""

from tests.images.registry_server import registry

__all__ = ["registry"]

"""The registries of these tests."""

from tests.images.registry_server import password_registry, registry

__all__ = ["password_registry", "registry"]

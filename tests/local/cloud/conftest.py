"""The stand-in of Cloud Storage, before the real bucket server."""

from tests.bucket_server import bucket_server, environment, stand_in

__all__ = ["bucket_server", "environment", "stand_in"]

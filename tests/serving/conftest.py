"""The bucket server for what is served from a bucket."""

from tests.bucket_server import bucket_server, environment, stand_in

__all__ = ["bucket_server", "environment", "stand_in"]

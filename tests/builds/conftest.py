from tests.bucket_server import bucket_server, environment, stand_in
from tests.builds.scene import scene

__all__ = ["bucket_server", "environment", "scene", "stand_in"]

"""Clients and blobs for the tests of registries."""

import os
from pathlib import Path
from typing import Dict, List, Tuple

from esteira.images.descriptor import Descriptor, describe_bytes
from esteira.images.registry import RegistryClient

# For credentials to be looked for where a test says, and nowhere else.
ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}


def make_client(host: str, environ: Dict[str, str] = ENVIRON) -> Tuple[RegistryClient, List[float]]:
    """Return a client that waits for nothing, and the list of the seconds that it would have waited."""
    pauses: List[float] = []
    return RegistryClient(host, environ, sleep=pauses.append), pauses


def make_blob(path: Path, size_bytes: int) -> Descriptor:
    """Write a file that no compression makes smaller, and return its descriptor."""
    path.write_bytes(os.urandom(size_bytes))
    return describe_bytes("application/octet-stream", path.read_bytes())

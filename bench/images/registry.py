"""Debian's container registry on loopback, with a fresh storage, and what it holds.

Bytes sent are counted by what appears in its storage, which costs the push no time: blobs and manifests,
without HTTP's heads. A blob that is sent twice, or mounted from another repository, is counted once or not at all.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

import requests
import yaml

from esteira.images.media import INDEXES, MANIFESTS
from esteira.local.builds.child import SUPERVISOR

PROGRAM = "docker-registry"
START_S = 30


@dataclass(frozen=True)
class Registry:
    """A running registry: host:port, and the folder of its storage."""

    host: str
    folder: Path

    def stored_bytes(self) -> int:
        """Return the size of all blobs that it holds, manifests included."""
        blobs = self.folder / "storage" / "docker" / "registry" / "v2" / "blobs"
        return sum(path.stat().st_size for path in blobs.glob("*/*/*/data"))

    def manifest(self, repository: str, reference: str) -> Tuple[str, Dict[str, Any]]:
        """Return the digest and the manifest of an image; of an index, those of its first image."""
        response = session().get(
            f"http://{self.host}/v2/{repository}/manifests/{reference}",
            headers={"Accept": ", ".join((*INDEXES, *MANIFESTS))},
            timeout=START_S,
        )
        response.raise_for_status()
        document: Dict[str, Any] = response.json()
        if "manifests" in document:
            return self.manifest(repository, document["manifests"][0]["digest"])
        return response.headers["Docker-Content-Digest"], document


def size_of(manifest: Dict[str, Any]) -> int:
    """Return the bytes that one who has nothing pulls: the packed layers and the config."""
    return sum(int(blob["size"]) for blob in [*manifest["layers"], manifest["config"]])


@contextmanager
def run_registry(folder: Path) -> Iterator[Registry]:
    """Run a registry with its storage in `folder` until the block ends, and remove the folder."""
    folder.mkdir()
    registry = Registry(f"127.0.0.1:{free_port()}", folder)
    settings = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}},
        "http": {"addr": registry.host, "secret": "one of no importance"},
    }
    (folder / "config.yml").write_text(yaml.safe_dump(settings))
    # The supervisor ends the registry with this process, however that ends.
    command = [sys.executable, str(SUPERVISOR), str(os.getpid()), PROGRAM, "serve", str(folder / "config.yml")]
    try:
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                wait_for(registry, process)
                yield registry
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(registry: Registry, process: "subprocess.Popen[bytes]") -> None:
    limit_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < limit_s:
        try:
            session().get(f"http://{registry.host}/v2/", timeout=START_S)
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise SystemExit(f"{PROGRAM} does not answer:\n{(registry.folder / 'log').read_text(errors='replace')}")


def session() -> requests.Session:
    made = requests.Session()
    made.trust_env = False  # a proxy has no business on loopback
    return made


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

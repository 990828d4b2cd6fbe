"""`buildah bud --layers` and `buildah push`, without a daemon, with a storage of the bench's own."""

import os
import subprocess
from pathlib import Path
from typing import Sequence

from bench.images.base import NAME
from bench.images.builder import Bench, Builder, Made
from bench.images.registry import Registry
from bench.images.timed import environment, run_timed

DRIVERS = ("overlay", "vfs")


class Buildah(Builder):
    name = "buildah"

    def __init__(self, bench: Bench, registry: Registry) -> None:
        super().__init__(bench, registry)
        words = {"RUN_ID": bench.run_id, "WHEELS_URL": bench.wheels_url}
        self.root = bench.inputs.context(self.folder / "context", "pip.Dockerfile", **words)
        self.base = f"{registry.host}/{NAME}@{bench.base}"
        self.image = f"{registry.host}/{self.repository}:bench"
        self.driver = next((driver for driver in DRIVERS if self.try_driver(driver)), DRIVERS[-1])

    def prepare(self) -> None:
        self.buildah("pull", "--quiet", "--tls-verify=false", self.base)

    def command(self, driver: str) -> Sequence[str]:
        kept = self.folder / driver
        return ["buildah", "--root", f"{kept}/root", "--runroot", f"{kept}/run", "--storage-driver", driver]

    def try_driver(self, driver: str) -> bool:
        return subprocess.run([*self.command(driver), "images"], capture_output=True, check=False).returncode == 0

    def make(self, *, push: bool = True) -> Made:
        return self.build(["--layers"], push)

    def make_anew(self) -> Made:
        return self.build(["--layers", "--no-cache"], push=False)

    def build(self, more: Sequence[str], push: bool) -> Made:
        own, environ = self.command(self.driver), environment()
        command = [*own, "bud", "--isolation", "chroot", "--network", "host", "--tls-verify=false", *more]
        command += ["--build-arg", f"BASE={self.base}", "--tag", self.image, str(self.root)]
        built = run_timed(command, self.log, environ=environ)
        total_s = built.wall_s
        if push:
            total_s += run_timed([*own, "push", "--tls-verify=false", self.image], self.log, environ=environ).wall_s
        image = self.buildah("images", "--no-trunc", "--quiet", self.image).split()[0]
        return Made(image, built.wall_s, total_s, built.cpu_s, built.peak_bytes)

    def buildah(self, *arguments: str) -> str:
        done = subprocess.run([*self.command(self.driver), *arguments], stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().strip()

    def close(self) -> None:
        for driver in DRIVERS:
            subprocess.run([*self.command(driver), "rmi", "--all", "--force"], capture_output=True, check=False)
            mount = Path(self.folder, driver, "root", driver)
            if os.path.ismount(mount):
                subprocess.run(["umount", str(mount)], check=False)

"""Programs that `make doctor` looks for: a container engine, and others that only some targets need."""

import shutil
from typing import Iterator, Mapping

from esteira.doctor.finding import Finding
from esteira.errors import ImageError
from esteira.images.engine.find import find_engine
from esteira.settings import Settings

INSTALL_GCLOUD = "Install it: https://cloud.google.com/sdk/docs/install"


def check_engine(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether Docker or Podman answers; one is needed only where tasks run in containers."""
    needed = settings.run.isolation == "container"
    try:
        engine = find_engine(environ)
    except ImageError as error:
        said = "; ".join(line.strip() for line in str(error).splitlines() if line.startswith("  "))
        remedy = (
            "Start it, or set run.isolation to fork" if needed else "Only ISOLATION=container and make image-load do"
        )
        yield Finding("containers", False if needed else None, said, remedy)
        return
    yield Finding("containers", True, f"{engine.program} answers")


def check_program(name: str, use: str, remedy: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether a program is on the PATH that can be done without: `use` tells who needs it."""
    if shutil.which(name, path=environ.get("PATH")):
        yield Finding(name, True, "is on the PATH")
    else:
        yield Finding(name, None, f"is not on the PATH: {use}", remedy)

"""Checking that an image holds what the pipeline needs: in the image itself, before a job is sent with it."""

import os
import re
import shlex
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import IO, Callable, List, Mapping, Set

from esteira.errors import ImageError
from esteira.images.descriptor import Descriptor
from esteira.images.engine.container import Container, Mount, run_command
from esteira.images.engine.find import Engine, find_engine
from esteira.images.engine.load import image_tag, load_image
from esteira.images.engine.status import describe_run_status
from esteira.images.layout import Layout
from esteira.settings import Settings

COMMAND = ("python", "-m", "esteira.images.inside")
# The lines hold ✓ and ✗, whatever the image's locale; TensorFlow's start-up lines are of no interest here.
QUIET = {"PYTHONIOENCODING": "utf-8", "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONWARNINGS": "ignore"}
ENV = {"HOME": "/tmp", "USER": "esteira", **QUIET}
MODULES = "modules"
HELD = ("esteira", "pipeline")
MISSING = re.compile(r"No module named '?([\w.]+)")
TAIL_LINES = 10


def check_image(
    settings: Settings, manifest: Descriptor, environ: Mapping[str, str], tell: Callable[[str], None]
) -> None:
    """Import the pipeline and each executor and driver in an image of the layout; tell a line of each.

    Raises ImageError that lists what cannot be imported, and in which file to add it.
    """
    engine = find_engine(environ)
    tag = image_tag("runtime", manifest)
    image = load_image(Layout(settings.state / "images"), manifest, tag, engine, tell)
    container = Container(
        name=f"esteira-check-{os.getpid()}",
        image=image,
        command=[*COMMAND, str(settings.root)],
        env=ENV,
        mounts=[Mount(settings.root / MODULES, read_only=True)],
        as_caller=True,
    )
    failures: List[str] = []
    with tempfile.TemporaryFile() as errors:
        status = run_lines(engine, container, errors, partial(keep_failures, tell, failures))
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").rstrip().splitlines()[-TAIL_LINES:]
    if failures:
        told = [f"{tag}: lacks what the pipeline needs:", *failures, *hints(settings.root, failures)]
        raise ImageError("\n".join(told))
    if status:
        how = describe_run_status(status, engine.program)
        raise ImageError("\n".join([f"{tag}: {' '.join(COMMAND)} {how}:", *said, *hints(settings.root, said)]))


def keep_failures(tell: Callable[[str], None], failures: List[str], line: str) -> None:
    tell(line)
    if line.startswith("✗"):
        failures.append(line)


def run_lines(engine: Engine, container: Container, errors: IO[bytes], tell: Callable[[str], None]) -> int:
    """Run a container and tell each line that it prints; return its status."""
    process = subprocess.Popen(
        run_command(engine, container),
        env=dict(engine.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        encoding="utf-8",
        errors="replace",
    )
    assert process.stdout is not None
    try:
        with process.stdout as stream:
            for line in stream:
                tell(line.rstrip())
        return process.wait()
    except BaseException:
        process.kill()
        process.wait()
        subprocess.run([*engine.removal, container.name], env=dict(engine.environ), capture_output=True, check=False)
        raise


def hints(root: Path, lines: List[str]) -> List[str]:
    """Return, for each module that was not found, where to add it."""
    missing: Set[str] = {found[1] for line in lines for found in [MISSING.search(line)] if found}
    if not missing:
        return ["Mend it below pipeline/, then run: make images && make image-check"]
    return [*(hint(root, module) for module in sorted(missing)), "Then run: make images && make image-check"]


def hint(root: Path, module: str) -> str:
    package = module.partition(".")[0]
    found = path_of(root, module)
    if found and package in HELD:
        see = f"git check-ignore -v {shlex.quote(found)}"
        return f"{module}: is in this repository and not in the image. Is it ignored by git? See: {see}"
    if found:
        return f"{module}: is at {found}. Move it below pipeline/ (an image holds nothing else of the repository)."
    if package in (*HELD, MODULES):
        return f"{module}: is neither in the image nor in this repository. Add it below {package}/."
    return f"{module}: add the package that holds it to requirements.in, and run: make lock"


def path_of(root: Path, module: str) -> str:
    """Return the path of a module's file or folder of code in the repository; "" where there is none."""
    path = Path(*module.split("."))
    file = path.with_suffix(".py")
    if (root / file).is_file():
        return file.as_posix()
    # A folder without code, such as docker/, is not what an import of that name means.
    return path.as_posix() if any((root / path).glob("**/*.py")) else ""

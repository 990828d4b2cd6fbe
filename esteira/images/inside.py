"""What `make image-check` runs inside an image: `python -m esteira.images.inside FOLDER`.

Imports the pipeline, compiles it, and imports each class and module that the job's executors and
drivers name. Prints a line for each, ✓ or ✗ with the last line of the error, and leaves with status 1
if anything is missing. FOLDER is what holds the package `modules`, which the pipeline reads when it is
compiled; a task gets it with its release, not with the image. All else is the image's, and the settings
are the defaults.
"""

import importlib
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

PIPELINE = "pipeline.pipeline"
COMPILING = "the pipeline's job"
CLASS_FLAG = "--executor_class_path"


def check_inside(folder: str) -> bool:
    """Print what can be imported here and what cannot; return whether all can."""
    compiled: List[Dict[str, Any]] = []
    with importing_from(folder):
        if not attempt(PIPELINE, partial(importlib.import_module, PIPELINE)):
            return False
        if not attempt(COMPILING, lambda: compiled.append(compile_here())):
            return False
    # Each is tried, so that all that is missing is told at once.
    return all([attempt(name, load) for name, load in named_in(compiled[0])])


@contextmanager
def importing_from(folder: str) -> Iterator[None]:
    """Let a folder's packages be imported too, and forget afterwards what could not be without them."""
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in list(sys.modules):
            if name.partition(".")[0] in ("modules", "pipeline"):
                del sys.modules[name]


def attempt(name: str, act: Callable[[], Any]) -> bool:
    """Print whether an act succeeds, which may be any code of the user's."""
    try:
        act()
    except (Exception, SystemExit) as error:
        text = str(error).strip().splitlines()
        print(f"✗ {name}: {type(error).__name__}: {text[-1] if text else ''}", flush=True)
        return False
    print(f"✓ {name}", flush=True)
    return True


def compile_here() -> Dict[str, Any]:
    """Return the pipeline's job with the default settings, compiled in memory."""
    from esteira.jobs.compile import compiled
    from esteira.settings import load_settings

    with tempfile.TemporaryDirectory() as folder:
        return compiled(load_settings(Path(folder), {}, {}))


def named_in(job: Dict[str, Any]) -> Iterator[Tuple[str, Callable[[], Any]]]:
    """Yield each class and module that the containers of a job name, and what imports it."""
    executors = job["pipelineSpec"]["deploymentSpec"]["executors"].values()
    containers = [executor["container"] for executor in executors if "container" in executor]
    commands = [[*container.get("command", []), *container.get("args", [])] for container in containers]
    for container in containers:
        driver = container.get("lifecycle", {}).get("preCacheCheck", {})
        commands.append([*driver.get("command", []), *driver.get("args", [])])
    for module in sorted({name for command in commands for name in after("-m", command)}):
        yield module, partial(importlib.import_module, module)
    for path in sorted({name for command in commands for name in after(CLASS_FLAG, command)}):
        yield path, partial(load_class, path)


def after(flag: str, command: List[str]) -> List[str]:
    """Return what follows a flag in a command."""
    return [value for option, value in zip(command, command[1:]) if option == flag]


def load_class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


if __name__ == "__main__":
    sys.exit(0 if check_inside(sys.argv[1]) else 1)

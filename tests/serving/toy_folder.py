"""The toy model in a folder: saved once by a process of its own, which imports TensorFlow, and copied from then on."""

import atexit
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from tests.conftest import REPOSITORY


def save_toy_model(folder: Path) -> None:
    """Save it as `folder`, which is made."""
    shutil.copytree(str(saved_once()), str(folder))


@lru_cache(maxsize=None)
def saved_once() -> Path:
    scratch = tempfile.mkdtemp(prefix="toy-model-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    folder = Path(scratch) / "1"
    subprocess.run([sys.executable, "-m", "tests.serving.toy_model", str(folder)], cwd=REPOSITORY, check=True)
    return folder

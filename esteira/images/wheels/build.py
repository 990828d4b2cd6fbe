"""Building the wheel of a package that exists only as source: the same bytes on every machine."""

from pathlib import Path
from typing import Dict, Mapping

from esteira.errors import ImageError, ProgramError
from esteira.images.wheels.builder import TARGET
from esteira.images.wheels.index import tell_full_disk
from esteira.images.wheels.seal import seal_wheel
from esteira.process import run_program

# The first time that a zip file can tell, in seconds since 1970.
SOURCE_DATE_EPOCH = "315532800"
TIMEOUT_S = 1800.0
# An interpreter outside the system's folders may find its shared library by this alone.
STARTERS = ("LD_LIBRARY_PATH",)


def build_wheel(source: Path, python: Path, scratch: Path, requirement: str, environ: Mapping[str, str]) -> Path:
    """Return the wheel of a source distribution, in `scratch`, built by the build environment's interpreter.

    C and C++ are compiled by its zig for the images' platform. Raises ImageError with the build's output.
    """
    for name in ("built", "sealed", "tmp"):
        (scratch / name).mkdir()
    command = [str(python), "-m", "pip", "wheel", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-index", "--no-build-isolation", "--use-pep517", "--no-cache-dir"]
    command += ["--wheel-dir", str(scratch / "built"), str(source)]
    try:
        run_program(command, cwd=scratch, env=build_environ(scratch, environ), timeout_s=TIMEOUT_S)
    except ProgramError as error:
        tell_full_disk(str(error), scratch)
        raise ImageError(
            f"{requirement}: its wheel cannot be built from {source.name}:\n{error}\n"
            "Expected it to build with docker/build.lock alone. "
            "Name what it needs in docker/build.in, or another version in requirements.in, and run: make lock"
        ) from None
    (built,) = (scratch / "built").iterdir()
    sealed = scratch / "sealed" / built.name
    seal_wheel(built, sealed)
    return sealed


def build_environ(scratch: Path, environ: Mapping[str, str]) -> Dict[str, str]:
    """Return an environment in which nothing is the user's but what the interpreter may need to start.

    target/_sysconfigdata_esteira.py names the compiler.
    """
    return {
        **{name: environ[name] for name in STARTERS if name in environ},
        "PATH": "/usr/bin:/bin",
        "HOME": str(scratch),
        "TMPDIR": str(scratch / "tmp"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
        "PIP_CONFIG_FILE": "/dev/null",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(TARGET),
        "PYTHONDONTWRITEBYTECODE": "1",
        "_PYTHON_HOST_PLATFORM": "linux-x86_64",
        "_PYTHON_SYSCONFIGDATA_NAME": "_sysconfigdata_esteira",
        "ZIG_GLOBAL_CACHE_DIR": str(scratch / "zig"),
        "ZIG_LOCAL_CACHE_DIR": str(scratch / "zig"),
    }

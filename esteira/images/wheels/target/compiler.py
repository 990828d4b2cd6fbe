"""Runs zig's C or C++ compiler for the images' platform. Usage: compiler.py (cc|c++|ar) ARGUMENT..."""

import importlib.util
import os
import sys
from typing import List

# An old glibc, so that what is built here runs wherever a manylinux wheel does.
TARGET = "x86_64-linux-gnu.2.17"
CPP = (".cc", ".cpp", ".cxx")
HERE = os.path.dirname(os.path.abspath(__file__))


def zig_arguments(mode: str, arguments: List[str]) -> List[str]:
    """Return zig's arguments: distutils compiles C++ too with CC, and no path of this machine may be written."""
    if mode == "ar":
        return [mode, *arguments]
    if any(argument.endswith(CPP) for argument in arguments):
        mode = "c++"
    flags = ["-target", TARGET, "-fno-sanitize=all"]
    flags += [f"-ffile-prefix-map={os.getcwd()}=.", f"-ffile-prefix-map={sys.base_prefix}=python"]
    if "-c" in arguments:
        # Before Python.h reads the machine's own, which has the same guard.
        flags += ["-include", os.path.join(HERE, "pyconfig.h")]
    else:
        flags += ["-s", "-Wl,--build-id=none"]
    return [mode, *flags, *arguments]


package = importlib.util.find_spec("ziglang")
if package is None or package.origin is None:
    sys.exit("ziglang is not installed beside this interpreter. Expected it in docker/build.lock.")
zig = os.path.join(os.path.dirname(package.origin), "zig")
os.execv(zig, [zig, *zig_arguments(sys.argv[1], sys.argv[2:])])

"""Runs zig's C or C++ compiler for the images' platform. Usage: compiler.py (cc|c++|ar) ARGUMENT..."""

import importlib.util
import os
import re
import subprocess
import sys
from typing import List

# An old glibc, so that what is built here runs wherever a manylinux wheel does.
TARGET = "x86_64-linux-gnu.2.17"
CPP = (".cc", ".cpp", ".cxx")
HERE = os.path.dirname(os.path.abspath(__file__))
# Names by which a library asks for the C++ standard library (Itanium C++ ABI): std, new, delete, type
# information, exceptions.
CPP_RUNTIME = re.compile(rb"\0(_ZN?K?St|_Z[nd][wal]|_ZT|_ZGV|__cxa_(?!finalize\0)|__gxx_|_Unwind_)")


def compile_or_link(mode: str, arguments: List[str]) -> int:
    """Run zig and return its status."""
    if mode == "ar":
        return run_zig(mode, arguments)
    if "-c" in arguments:
        # distutils compiles C++ too with CC. Our header comes before Python.h reads the machine's, which has the
        # same guard.
        cpp = mode == "c++" or any(argument.endswith(CPP) for argument in arguments)
        return run_zig("c++" if cpp else "cc", [*flags(), "-include", os.path.join(HERE, "pyconfig.h"), *arguments])
    return link(mode, [*flags(), "-s", "-Wl,--build-id=none", *arguments])


def link(mode: str, arguments: List[str]) -> int:
    """Link as C where nothing needs C++'s standard library: zig takes half a minute to make that, on first use."""
    status = run_zig("cc", arguments)
    if mode == "c++" and (status != 0 or needs_cpp_runtime(arguments[arguments.index("-o") + 1])):
        return run_zig("c++", arguments)
    return status


def needs_cpp_runtime(library: str) -> bool:
    with open(library, "rb") as stream:
        return CPP_RUNTIME.search(stream.read()) is not None


def flags() -> List[str]:
    """Return flags for the platform, and such that no path of this machine is written."""
    maps = [f"-ffile-prefix-map={os.getcwd()}=.", f"-ffile-prefix-map={sys.base_prefix}=python"]
    return ["-target", TARGET, "-fno-sanitize=all", *maps]


def run_zig(mode: str, arguments: List[str]) -> int:
    package = importlib.util.find_spec("ziglang")
    if package is None or package.origin is None:
        sys.exit("ziglang is not installed beside this interpreter. Expected it in docker/build.lock.")
    return subprocess.call([os.path.join(os.path.dirname(package.origin), "zig"), mode, *arguments])


sys.exit(compile_or_link(sys.argv[1], sys.argv[2:]))

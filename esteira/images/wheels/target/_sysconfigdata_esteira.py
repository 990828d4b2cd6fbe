"""What sysconfig tells of the images' platform instead of the machine that builds.

CPython reads the module that _PYTHON_SYSCONFIGDATA_NAME names (Lib/sysconfig.py, for cross-compiling).
INCLUDEPY is left out on purpose: the headers are then looked for beside the interpreter.
"""

import os
import shlex
import sys


def compiler(mode: str) -> str:
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compiler.py")
    return " ".join(shlex.quote(word) for word in (sys.executable, script, mode))


build_time_vars = {
    "AR": compiler("ar"),
    "ARFLAGS": "rcsD",
    "CC": compiler("cc"),
    "CCSHARED": "-fPIC",
    "CFLAGS": "-O2 -g0 -DNDEBUG -fwrapv",
    "CXX": compiler("c++"),
    "EXT_SUFFIX": ".cpython-38-x86_64-linux-gnu.so",
    "LDCXXSHARED": compiler("c++") + " -shared",
    "LDSHARED": compiler("cc") + " -shared",
    "OPT": "",
    "RANLIB": "true",
    "SHLIB_SUFFIX": ".so",
    "SOABI": "cpython-38-x86_64-linux-gnu",
}

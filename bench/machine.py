"""What a benchmark says of the machine that it ran on."""

import os
import platform
from pathlib import Path
from typing import Any, Dict, List

from importlib_metadata import version


def describe_machine(*packages: str) -> Dict[str, Any]:
    """Return processor, memory, load and Python, and the versions of installed packages."""
    cpu = next(
        (line.split(":")[1].strip() for line in read_lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def read_lines(path: str) -> List[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()

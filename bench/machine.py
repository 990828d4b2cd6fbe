"""What a benchmark says of the machine that it ran on."""

import os
import platform
from pathlib import Path
from typing import Any, Dict, List


def describe_machine() -> Dict[str, Any]:
    """Return processor, memory, the load of the last minute, and Python."""
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
    }


def read_lines(path: str) -> List[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()

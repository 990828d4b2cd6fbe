"""What `make doctor` looks at on this machine: the system, Python, the disk, memory, the clock and the port."""

import errno
import os
import platform
import shutil
import socket
import sys
import time
from typing import Iterator, Mapping

from esteira.doctor.finding import Finding
from esteira.doctor.state import nearest_folder
from esteira.settings import Settings

PYTHON = (3, 8)
# An image's layers, its layout and the wheels that they are made of.
FREE_GB = 5
# TFX imported once, and a task of the run in a fork of it, with the data of the example.
MEMORY_GB = 3
# No commit of this repository is older.
BEGINNING_S = 1_577_836_800  # 2020-01-01
LOOPBACK = "127.0.0.1"


def check_platform() -> Iterator[Finding]:
    """Yield whether the wheels that the images are made of fit this machine, too."""
    name = f"{platform.system()} on {platform.machine()}, {os.cpu_count()} processors"
    good = (sys.platform, platform.machine(), platform.libc_ver()[0]) == ("linux", "x86_64", "glibc")
    remedy = "" if good else "Expected Linux with glibc on x86-64: use such a machine, or a container on it"
    yield Finding("system", good, name, remedy)


def check_python() -> Iterator[Finding]:
    said = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] == PYTHON
    yield Finding("Python", good, said, "" if good else "Run: make setup    TFX 1.14 needs Python 3.8")


def check_disk(settings: Settings) -> Iterator[Finding]:
    free_gb = shutil.disk_usage(nearest_folder(settings.state)).free / 1e9
    said = f"{free_gb:,.1f} GB free at {settings.state}"
    good = free_gb >= FREE_GB
    remedy = "" if good else f"Expected {FREE_GB} GB. Run: make gc    Or: make clean"
    yield Finding("disk", good, said, remedy)


def check_memory() -> Iterator[Finding]:
    """Yield how much memory is free; a machine may have swap, so that less of it forbids nothing."""
    free_gb = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            kb = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        free_gb = kb["MemAvailable"] * 1024 / 1e9
    except (OSError, KeyError, ValueError):
        pass
    good = free_gb >= MEMORY_GB
    remedy = "" if good else f"A deploy may be slow, or be killed, with less than {MEMORY_GB} GB. End other programs"
    yield Finding("memory", True if good else None, f"{free_gb:,.1f} GB free", remedy)


def check_clock() -> Iterator[Finding]:
    """Yield whether the clock was set at all: leases end by it, and certificates are refused."""
    good = time.time() > BEGINNING_S
    said = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    yield Finding("clock", good, said, "" if good else "Set the clock, or have it set: sudo timedatectl set-ntp true")


def check_language(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether a terminal is likely to show what is written, which is UTF-8 whatever the locale says.

    https://pubs.opengroup.org/onlinepubs/9699919799/basedefs/V1_chap08.html#tag_08_02
    """
    name = next((name for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "LANG")
    locale = environ.get(name, "")
    if locale.lower().replace("-", "").endswith("utf8"):
        yield Finding("texts", True, f"are UTF-8, as {name}={locale} says")
    else:
        remedy = "Where a terminal shows marks wrongly: export LC_ALL=C.UTF-8"
        yield Finding("texts", None, f"are UTF-8, and {name}={locale} says otherwise", remedy)


def check_port(settings: Settings) -> Iterator[Finding]:
    """Yield whether the prediction server can listen where the settings say; a server of ours may do so now."""
    port = settings.serving.port
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            said = f"{port}: {'another program listens there' if taken else error.strerror}"
            remedy = f"Only make serve needs it. Run: make serve PORT={port + 1 if port < 65535 else 8501}"
            yield Finding("port", None, said, remedy)
            return
    yield Finding("port", True, f"{port} is free")

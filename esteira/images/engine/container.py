"""Containers: the command that runs one, and the end of those that carry a label."""

import csv
import io
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Mapping, Sequence, Set

from esteira.errors import ImageError, ProgramError
from esteira.images.engine.find import Engine

REMOVAL_TIMEOUT_S = 20.0
POLL_S = 0.1


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine that a container sees under the same path."""

    path: Path
    read_only: bool = False


@dataclass(frozen=True)
class Container:
    """What runs in a container, and what it sees. `image` is an id, never a tag: that could be moved.

    `as_caller`: as the user who calls, so that what it writes is theirs; else as the image says.
    """

    name: str
    image: str
    command: Sequence[str]
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    as_caller: bool = False


def run_command(engine: Engine, container: Container) -> List[str]:
    """Return the command that runs a container, in the foreground, and removes it when it ends.

    The command stands in place of the image's entry point, as a command does in Vertex AI's
    container specification. Its output is only passed on, not kept by the engine once more.
    """
    program, *arguments = container.command
    command = [engine.program, "run", "--rm", "--init", "--log-driver", "none", "--name", container.name]
    for key, value in container.labels.items():
        command += ["--label", f"{key}={value}"]
    if container.as_caller:
        command += user_arguments(engine, os.getuid(), os.getgid())
    for mount in container.mounts:
        command += ["--mount", mount_option(mount)]
    if container.mounts and engine.program == "podman":
        # Where SELinux is on, a folder would have to be labelled anew to be seen in a container.
        command += ["--security-opt", "label=disable"]
    for key, value in container.env.items():
        command += ["--env", f"{key}={value}"]
    return [*command, "--entrypoint", program, container.image, *arguments]


def user_arguments(engine: Engine, user: int, group: int) -> List[str]:
    """Return what makes files that a container writes belong to a user and a group of this machine."""
    if engine.rootless and engine.program == "docker":
        # There root in a container is the user who runs the engine.
        return ["--user", "0:0"]
    keep = ["--userns=keep-id"] if engine.rootless else []
    return [*keep, "--user", f"{user}:{group}"]


def mount_option(mount: Mount) -> str:
    """Return the value of --mount: a line of CSV, so that a comma in a path is none between fields."""
    fields = ["type=bind", f"source={mount.path}", f"target={mount.path}"]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([*fields, "readonly"] if mount.read_only else fields)
    return line.getvalue()


def find_containers(engine: Engine, labels: Mapping[str, str]) -> Set[str]:
    """Return the ids of the containers with all of the labels, those that have ended too."""
    filters = [text for key, value in labels.items() for text in ("--filter", f"label={key}={value}")]
    return set(engine.ask("ps", "--all", "--quiet", "--no-trunc", *filters).split())


def remove_containers(engine: Engine, ids: Set[str]) -> None:
    """End containers with all that runs in them, and remove them; ImageError if one stays."""
    limit_s = time.monotonic() + REMOVAL_TIMEOUT_S
    left = ids
    while left:
        try:
            engine.ask(*engine.removal[1:], *sorted(left))
        except ProgramError as error:
            # It may be on its way out already, or gone.
            if time.monotonic() > limit_s:
                raise ImageError(f"{error}\nExpected no container of a run that has ended to be left.") from None
            time.sleep(POLL_S)
        left = left & set(engine.ask("ps", "--all", "--quiet", "--no-trunc").split())

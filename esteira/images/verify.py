"""Building an image again from nothing, in other surroundings, to see that it comes out the same.

Another folder, user, umask, time zone, locale, hash seed and clock; what this machine cannot vary is said.
"""

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from esteira.errors import ImageError, ProgramError
from esteira.images.code import code_of_source
from esteira.images.descriptor import read_descriptor
from esteira.images.layout import Layout, layout_of
from esteira.images.make import Made
from esteira.images.media import INDEXES
from esteira.images.origin import origin_of
from esteira.local.builds.workspace import fill_workspace
from esteira.process import run_program
from esteira.release.digest import digest_file
from esteira.settings import Settings
from esteira.source import Source

USER = "12345"
CLOCK = "2031-05-06 07:08:09"
TIMEOUT_S = 3600
VARIABLES = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "4321"}
# What a build needs of the caller's environment: programs, a home for git and pip, and the way to package indexes.
KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH")
KEPT_PREFIXES = ("PIP_", "SSL_CERT", "REQUESTS_", "HTTP", "NO_PROXY", "http", "no_proxy", "XDG_CACHE_HOME")


@dataclass(frozen=True)
class Verified:
    """Images came out the same; `varied` and `same` say what was other than here and what was not."""

    varied: List[str]
    same: List[str]


def verify_images(
    settings: Settings, source: Source, made: Sequence[Made], python: str, environ: Mapping[str, str]
) -> Verified:
    """Build images of a source again and compare them with those that were made; ImageError says which layers differ.

    `python` is the interpreter of the project's environment.
    """
    for image in made:
        check_layers(layout_of(settings), image)
    surroundings, varied, same = vary()
    with tempfile.TemporaryDirectory(prefix="esteira verify ") as folder:
        workspace, state = Path(folder) / "another folder", Path(folder) / "state"
        fill_workspace(workspace, source)
        for digest in {image.materials.base.digest for image in made}:
            copy_base(layout_of(settings), Layout(state / "images"), digest)
        order = {
            "names": [image.image.name for image in made],
            "files": dict(code_of_source(source).files),
            "origin": asdict(origin_of(source)),
            "state": str(state),
        }
        output = run_program(
            [*surroundings, python, "-m", "esteira.images.again"],
            cwd=workspace,
            env=variables(environ),
            input_text=json.dumps(order),
            timeout_s=TIMEOUT_S,
        )
    answer = json.loads(output.splitlines()[-1])
    for image in made:
        compare(image, answer[image.image.name])
    return Verified(["folder", "time zone", "locale", "hash seed", *varied], same)


def vary() -> Tuple[List[str], List[str], List[str]]:
    """Return the head of a command that changes its surroundings, what it changes and what it can't here."""
    command, varied, same = ["sh", "-c", 'umask 077; exec "$@"', "sh"], ["umask"], []
    for what, head in (
        ("user", ["unshare", "--user", f"--map-user={USER}", f"--map-group={USER}", "--"]),
        ("clock", ["faketime", CLOCK]),
    ):
        if works([*head, "true"]):
            command += head
            varied.append(what)
        else:
            same.append(f"{what} ({head[0]} is missing or not allowed)")
    return command, varied, same


def works(command: Sequence[str]) -> bool:
    try:
        run_program(command, timeout_s=30)
    except ProgramError:
        return False
    return True


def variables(environ: Mapping[str, str]) -> Dict[str, str]:
    kept = {name: value for name, value in environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
    return {**kept, **VARIABLES}


def copy_base(layout: Layout, target: Layout, digest: str) -> None:
    """Put the base's blobs into another layout, each checked, so that a registry need not be asked again."""
    for blob in base_blobs(layout, digest):
        if digest_file(layout.blob(blob)) != blob:
            raise ImageError(f"{layout.blob(blob)}: is damaged. Remove it and run: make images")
        with target.scratch_file() as path:
            shutil.copyfile(layout.blob(blob), path)
            target.adopt(path, blob)


def base_blobs(layout: Layout, digest: str) -> Iterator[str]:
    """Yield the digests of an index or manifest and of all that is here of what it names."""
    yield digest
    document = layout.read(digest)
    if document.get("mediaType") in INDEXES or "manifests" in document:
        for entry in map(read_descriptor, document["manifests"]):
            if layout.has(entry):
                yield from base_blobs(layout, entry.digest)
        return
    yield from (read_descriptor(entry).digest for entry in [document["config"], *document["layers"]])


def check_layers(layout: Layout, made: Made) -> None:
    """Raise ImageError unless each layer on this disk still has the bytes that it was made with."""
    paths = {layer.name: (layout.blob(layer.digest), layer.digest) for layer in made.image.layers}
    faults = [f"  layer {name}: {path}" for name, (path, digest) in paths.items() if digest_file(path) != digest]
    if faults:
        head = f"{made.image.name}: files of its layers were changed on this disk:"
        tail = "Expected the bytes that they are named by. Remove them and run: make images"
        raise ImageError("\n".join([head, *faults, tail]))


def compare(made: Made, again: Dict[str, Any]) -> None:
    """Raise ImageError unless both images are the same, with the layers that are not."""
    if again["digest"] == made.digest:
        return
    here = {layer.name: layer for layer in made.image.layers}
    lines = [f"{made.image.name}: was {made.digest}, and built again {again['digest']}."]
    for name, (digest, diff_id) in again["layers"].items():
        if name not in here:
            lines.append(f"  layer {name}: was not there.")
        elif here[name].digest != digest:
            what = "its packed bytes differ" if here[name].diff_id == diff_id else "its files differ"
            lines.append(f"  layer {name}: {what}: {here[name].digest}, again {digest}.")
    raise ImageError("\n".join([*lines, "Expected the same bytes. If a layer was changed on this disk: make clean"]))

"""Giving an image to the container engine of this machine."""

import contextlib
import itertools
import json
import subprocess
from typing import Any, Callable, Dict, List, Optional, Sequence

from esteira.errors import ImageError, ProgramError
from esteira.images.descriptor import Descriptor
from esteira.images.engine.archive import Image, hexadecimal, read_image, write_archive
from esteira.images.engine.find import Engine
from esteira.images.layout import Layout

TAIL_LINES = 5

Tell = Callable[[str], None]


def ignore(text: str) -> None:
    """Tell nobody."""


def load_image(layout: Layout, manifest: Descriptor, tag: str, engine: Engine, tell: Tell = ignore) -> str:
    """Return the id by which the engine knows an image of the layout, which it is given unless it has it.

    The id is the digest of the image's configuration, which names every byte of it. (Docker with
    containerd's image store makes an id of its own: there the tag is looked up, and must hold the image's
    layers.) What is sent is told, since a whole image takes a minute. Raises ImageError if a blob is lost,
    or the engine does not take the image.
    """
    image = read_image(layout, manifest)
    diff_ids = list(layout.read(image.config.digest).get("rootfs", {}).get("diff_ids", []))
    found = find_image(engine, image, diff_ids, tag)
    if found is None:
        give_image(layout, image, diff_ids, tag, engine, tell)
        found = find_image(engine, image, diff_ids, tag)
    if found is None:
        raise ImageError(
            f"{engine.program} took the image {tag}, and has none of the id {image.config.digest}.\n"
            f"Expected the image that was built. See: {engine.program} image ls"
        )
    return found


def image_tag(name: str, manifest: Descriptor) -> str:
    """Return the tag under which an engine lists an image, such as esteira/runtime:0123456789ab."""
    return f"esteira/{name}:{manifest.digest.partition(':')[2][:12]}"


def find_image(engine: Engine, image: Image, diff_ids: Sequence[str], tag: str) -> Optional[str]:
    """Return the engine's id of an image, None if it does not have it."""
    known = str(inspect(engine, image.config.digest).get("Id", ""))
    # Podman writes an id without its algorithm.
    if known.rpartition(":")[2] == hexadecimal(image.config):
        return image.config.digest
    tagged = inspect(engine, tag)
    if tagged.get("RootFS", {}).get("Layers") == diff_ids and uses_containerd(engine):
        return str(tagged["Id"])
    return None


def inspect(engine: Engine, name: str) -> Dict[str, Any]:
    """Return what the engine knows of an image, nothing if it has none of that id or tag."""
    try:
        images: List[Dict[str, Any]] = json.loads(engine.ask("image", "inspect", name))
    except ProgramError:
        return {}
    return images[0] if images else {}


def uses_containerd(engine: Engine) -> bool:
    """Return whether Docker keeps images in containerd's store, where an id is no configuration's digest."""
    if engine.program != "docker":
        return False
    return "io.containerd.snapshotter" in engine.ask("info", "--format", "{{json .DriverStatus}}")


def give_image(layout: Layout, image: Image, diff_ids: Sequence[str], tag: str, engine: Engine, tell: Tell) -> None:
    """Give the engine an image, without the layers that it has where it can do without them."""
    held = count_held(engine, diff_ids)
    sent = image.layers[held:]
    megabytes = sum(layer.size_bytes for layer in sent) / 1e6
    tell(f"{engine.program} is given {tag}: {len(sent)} of {len(image.layers)} layers, {megabytes:,.1f} MB")
    if held:
        # One that it loses meanwhile, or that it wants to see anyway, is sent below.
        with contextlib.suppress(ImageError):
            send_archive(layout, image, tag, engine, held)
            return
    send_archive(layout, image, tag, engine)


def count_held(engine: Engine, diff_ids: Sequence[str]) -> int:
    """Return how many of an image's lowest layers Docker has, from another image of ours."""
    if engine.program != "docker":
        return 0
    try:
        if uses_containerd(engine):
            return 0
        ours = engine.ask("image", "ls", "--quiet", "--no-trunc", "--filter", "reference=esteira/*").split()
        images = json.loads(engine.ask("image", "inspect", *sorted(set(ours)))) if ours else []
    except ProgramError:
        return 0
    return max((count_shared(image["RootFS"].get("Layers") or [], diff_ids) for image in images), default=0)


def count_shared(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many items two sequences have in common from their beginning on."""
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other))))


def send_archive(layout: Layout, image: Image, tag: str, engine: Engine, held: int = 0) -> None:
    """Stream an image into `docker load`: nothing is written on the way, and memory does not grow with it."""
    process = subprocess.Popen(
        [engine.program, "load"],
        env=dict(engine.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process, process.stdout:
        try:
            with process.stdin as stream:
                write_archive(layout, image, tag, stream, held)
        except BrokenPipeError:
            pass  # the engine gave up before the end; what it says of that is told below
        except BaseException:
            process.kill()
            raise
        said = process.stdout.read().decode("utf-8", "replace").strip().splitlines()
    if process.returncode:
        tail = "\n".join(f"  {line}" for line in said[-TAIL_LINES:])
        raise ImageError(
            f"{engine.program} load: does not take the image {tag} (status {process.returncode}):\n{tail}\n"
            f"Expected an engine with free space. See: {engine.program} system df"
        )

"""A tiny repository with the specification of an image, and the image of it."""

from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, NoReturn, Optional, Sequence

import deflate

from esteira.images.bases import Base
from esteira.images.build import Image, Materials, build_image, read_materials
from esteira.images.code import blob_id, code_of_workspace
from esteira.images.descriptor import Descriptor
from esteira.images.layers.code import Code
from esteira.images.layers.groups import WheelFile, WheelSet
from esteira.images.layout import Layout
from esteira.images.media import CONFIG, INDEX, LAYER, MANIFEST
from esteira.images.origin import Origin
from esteira.images.registry.pull import PulledImage, pull_base
from esteira.images.registry.reference import parse_reference
from esteira.release.digest import digest_bytes
from tests.images.base_image import config_document, manifest_document, small_layer
from tests.images.layers_read import say_nothing
from tests.images.wheels_made import make_wheel, rich_wheel
from tests.repositories import write

ORIGIN = Origin("0123456789abcdef0123456789abcdef01234567", False, "https://example.test/a/b")
BASES = """# The bases.

[python]  # as people know it
image = "example.test/library/python"
tag = "3.8-slim"
digest = "{digest}"
python = "/usr/local/bin/python3.8"
"""
RUNTIME = """# What jobs run in.
base = "python"
lock = "requirements.lock"
folders = ["esteira", "pipeline"]
workdir = "/app"
entrypoint = []
command = ["python"]
user = "65532:65532"

[env]
PYTHONPATH = "/app"
HOME = "/tmp"

[labels]
"org.opencontainers.image.title" = "a tiny image"
"""
CODE = {
    "esteira/__init__.py": "",
    "esteira/engine.py": "ENGINE = 1\n",
    "pipeline/__init__.py": "",
    "pipeline/pipeline.py": "def create_pipeline() -> None:\n    'A pipeline.'\n",
    "pipeline/run.sh": "#!/bin/sh\necho run\n",
    "modules/model.py": "NOT_IN_THE_IMAGE = 1\n",
}


class Tiny(NamedTuple):
    """A repository's folder, the layout beside it, and the wheels that stand for its lock's."""

    root: Path
    layout: Layout
    wheels: List[WheelFile]

    def materials(self) -> Materials:
        code, wheels = workspace_code(self.root), WheelSet(self.wheels)
        return read_materials(self.root, "runtime", code, self.find_base, lambda _: wheels)

    def build(self, say: Callable[[str], None] = say_nothing) -> Image:
        return build_image(self.layout, self.materials(), say)

    def find_base(self, base: Base) -> PulledImage:
        return pull_base(parse_reference(base.reference), "linux/amd64", self.layout, refuse_client)


def refuse_client(host: str) -> NoReturn:
    raise AssertionError(f"a build asked {host} for a base that is in the layout")


def workspace_code(root: Path) -> Code:
    """Return the files of a folder as a build has them, run.sh being a program."""
    files = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
    entries = {
        name: f"{'100755' if name.endswith('.sh') else '100644'} {blob_id(path.read_bytes(), 40)}"
        for name, path in files.items()
    }
    return code_of_workspace(root, entries)


def tiny_base(layout: Layout, text: str = "a base") -> Descriptor:
    """Put a base of a few files into a layout and return its index; no zlib has a say in its bytes."""
    plain = small_layer(text).getvalue()
    layer = layout.add(LAYER, bytes(deflate.gzip_compress(plain, 6)))
    config = layout.add_document(CONFIG, config_document(digest_bytes(plain)))
    manifest = layout.add_document(MANIFEST, manifest_document(config, layer))
    entry = replace(manifest, platform={"os": "linux", "architecture": "amd64"})
    return layout.add_document(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry.document()]})


def tiny_wheels(folder: Path) -> List[WheelFile]:
    """Return three wheels: one with all that wheels can hold, one that needs it, one of bytes as they are."""
    one = make_wheel(
        folder,
        "one",
        {"one/__init__.py": "import rich\nONE = rich\n"},
        metadata=["License: MIT", "Requires-Dist: rich>=1", "Requires-Dist: nothing; extra == 'more'"],
    )
    return [one, rich_wheel(folder), make_wheel(folder, "stored", {"stored.py": "STORED = 1\n"}, stored=True)]


def make_tiny(folder: Path, wheels: Optional[Sequence[WheelFile]] = None) -> Tiny:
    """Make the repository in folder/root and a layout, with a base of a few files, in folder/images."""
    root, layout = folder / "root", Layout(folder / "images")
    base = tiny_base(layout)
    files: Dict[str, str] = {
        **CODE,
        "docker/bases.toml": BASES.format(digest=base.digest),
        "docker/runtime.toml": RUNTIME,
        "requirements.lock": "# A lock of three packages.\n",
    }
    for path, text in files.items():
        write(root / path, text)
    return Tiny(root, layout, list(wheels) if wheels is not None else tiny_wheels(folder / "wheels"))

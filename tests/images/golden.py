"""The digests that the tiny image must have on every machine: python -m tests.images.golden writes golden.json anew.

They change with esteira.images.layers.key.FORM, libdeflate's version and Python's byte code, and with nothing else.
With `--print` the digests are only shown.
"""

import sys
import tempfile
from pathlib import Path
from typing import Dict

from esteira.files import write_json
from tests.images.image_made import make_tiny

FILE = Path(__file__).with_name("golden.json")


def digests(folder: Path) -> Dict[str, str]:
    """Return the digests of the tiny image, made in a folder."""
    image = make_tiny(folder).build()
    return {"manifest": image.manifest.digest, **{layer.name: layer.digest for layer in image.layers}}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = digests(Path(folder))
    if "--print" in sys.argv:
        print(" ".join(found.values()))
    else:
        write_json(FILE, found)


if __name__ == "__main__":
    main()

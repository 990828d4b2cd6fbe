"""Builds images once more, as `verify` asks for it: run as a program, in the folder of a laid-down source.

Reads an order, a JSON object, from standard input, and writes what it built, in the last line, as one.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, Dict

from esteira.edge import at_the_edge
from esteira.images.code import code_of_workspace
from esteira.images.make import make_image
from esteira.images.origin import Origin
from esteira.settings import load_settings


@at_the_edge
def main() -> None:
    order: Dict[str, Any] = json.load(sys.stdin)
    root = Path.cwd()
    settings = load_settings(root, {"ESTEIRA_STATE": order["state"]}, {})
    code, origin = code_of_workspace(root, order["files"]), Origin(**order["origin"])
    answer = {}
    for name in order["names"]:
        made = make_image(settings, name, code, origin, environ=os.environ, say=quiet)
        layers = {layer.name: [layer.digest, layer.diff_id] for layer in made.image.layers}
        answer[name] = {"digest": made.digest, "layers": layers}
    print(json.dumps(answer))


def quiet(text: str) -> None:
    """Say nothing: it is for the one who asked to tell what came of it."""


if __name__ == "__main__":
    main()

"""The first layer on the base: an empty virtual environment, which the layers of packages fill."""

import posixpath
from dataclasses import asdict
from typing import List

from esteira.images.layers.conflicts import ENVIRONMENT
from esteira.images.layers.entry import Entry, file_entry, folder_entry, link_entry
from esteira.images.layers.key import layer_key
from esteira.images.layers.place import VERSION, Place
from esteira.images.layers.store import Layer, LayerStore, given

NAME = "virtual environment"


def skeleton_layer(store: LayerStore, place: Place) -> Layer:
    key = skeleton_key(place)
    return store.find(key, NAME) or store.make(key, NAME, lambda: given(skeleton_entries(place)))


def skeleton_key(place: Place) -> str:
    return layer_key({"skeleton": asdict(place)})


def skeleton_entries(place: Place) -> List[Entry]:
    """Return what `python -m venv` makes, without a clock and without what only a shell needs.

    A real virtual environment and no PYTHONPATH, which would pass over the packages' .pth files.
    https://docs.python.org/3.8/library/site.html
    """
    configuration = (
        f"home = {posixpath.dirname(place.python)}\ninclude-system-site-packages = false\nversion = {VERSION}\n"
    )
    return [
        file_entry(f"{place.prefix}/pyvenv.cfg", configuration.encode("utf-8"), owner=ENVIRONMENT),
        link_entry(f"{place.prefix}/bin/python", place.python, owner=ENVIRONMENT),
        link_entry(f"{place.prefix}/bin/python3", "python", owner=ENVIRONMENT),
        link_entry(f"{place.prefix}/bin/python{VERSION}", "python", owner=ENVIRONMENT),
        link_entry(f"{place.prefix}/lib64", "lib", owner=ENVIRONMENT),
        folder_entry(place.packages),
    ]

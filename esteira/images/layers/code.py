"""The last layers: folders of the repository, as git has them, with their byte code."""

from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Mapping

from esteira.errors import ImageError
from esteira.git import LINK
from esteira.images.layers.bytecode import byte_code_path, compiler
from esteira.images.layers.entry import Entry, file_entry, link_entry
from esteira.images.layers.key import layer_key
from esteira.images.layers.store import Layer, LayerStore, given

PROGRAM = "100755"
# Returns the content of each path, as git has it.
ReadFiles = Callable[[Iterable[str]], Dict[str, bytes]]


@dataclass(frozen=True)
class Code:
    """Files of the repository as path to git's "mode id", and how to read them."""

    files: Mapping[str, str]
    read: ReadFiles

    def below(self, *folders: str) -> "Code":
        """Return the files below some folders."""
        prefixes = tuple(f"{folder}/" for folder in folders)
        return Code({path: entry for path, entry in self.files.items() if path.startswith(prefixes)}, self.read)


def code_layer(store: LayerStore, code: Code, folder: str, workdir: str) -> Layer:
    """Return the layer that holds a folder below `workdir`. Its files are read only where it was not made before.

    Raises ImageError for a folder without files.
    """
    below = code.below(folder)
    if not below.files:
        raise ImageError(f"{folder}: holds no files. Expected a folder of the repository, as docker/*.toml name it.")
    key, name = layer_key({"code": dict(below.files), "workdir": workdir}), f"code: {folder}"
    return store.find(key, name) or store.make(key, name, lambda: given(code_entries(below, workdir)))


def code_entries(code: Code, workdir: str) -> List[Entry]:
    contents = code.read(code.files)
    entries = []
    with compiler() as compiling:
        for path, entry in sorted(code.files.items()):
            mode, place, content = entry.partition(" ")[0], f"{workdir}/{path}", contents[path]
            if mode == LINK:
                entries.append(link_entry(place, content.decode("utf-8", "surrogateescape")))
                continue
            entries.append(file_entry(place, content, program=mode == PROGRAM))
            compiled = compiling.compile(place, content) if path.endswith(".py") else None
            if compiled is not None:
                entries.append(file_entry(byte_code_path(place), compiled))
    return entries

"""A YAML file as plain values that know the line they stand on."""

from dataclasses import dataclass, field, replace
from typing import Any, Dict, FrozenSet, Hashable, List, Optional, Tuple

import yaml

# libyaml reads the same files ten times as fast, where PyYAML was built with it.
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Place = Tuple[Hashable, ...]


@dataclass(frozen=True)
class Fault:
    """What is wrong in a build file, and on which line (from 1)."""

    name: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.name}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Document:
    """The value of a YAML file; `lines` maps a place such as ("steps", 0, "id") to its line."""

    name: str
    value: Any
    lines: Dict[Place, int]
    faults: List[Fault] = field(default_factory=list)

    def fault(self, place: Place, message: str) -> Fault:
        """Return a fault at a place, or at the nearest one above that has a line."""
        while place and place not in self.lines:
            place = place[:-1]
        return Fault(self.name, self.lines.get(place, 1), message)


def read_document(text: str, name: str) -> Document:
    """Return the only document of a YAML text, with its syntax errors and repeated keys as faults."""
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return unreadable(name, 1, "is empty.")
        document = Document(name, None, {})
        # Before the values are made, which rewrites the nodes of merged mappings.
        walk(node, (), document, frozenset())
        return replace(document, value=loader.construct_document(node))
    except yaml.MarkedYAMLError as error:
        return unreadable(name, line_of(error.problem_mark), f"is not YAML: {error.problem}.")
    except (yaml.YAMLError, ValueError) as error:
        return unreadable(name, 1, f"is not YAML: {error}.")
    finally:
        loader.dispose()


def unreadable(name: str, line: int, message: str) -> Document:
    return Document(name, None, {}, [Fault(name, line, message)])


def line_of(mark: Optional[yaml.Mark]) -> int:
    return mark.line + 1 if mark else 1


def walk(node: yaml.Node, place: Place, document: Document, above: FrozenSet[int]) -> None:
    """Note the line of each value, and each key that stands twice in one mapping.

    PyYAML takes the last of two equal keys in silence, as gcloud does.
    """
    if id(node) in above:
        raise yaml.MarkedYAMLError(problem="an alias stands for what it stands in", problem_mark=node.start_mark)
    document.lines.setdefault(place, line_of(node.start_mark))
    above = above | {id(node)}
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            walk(item, (*place, index), document, above)
    elif isinstance(node, yaml.MappingNode):
        seen: Dict[str, int] = {}
        for key, value in node.value:
            line, word = line_of(key.start_mark), str(key.value)
            if word in seen:
                message = f'key "{word}" stands twice; the first is on line {seen[word]}. Keep one.'
                document.faults.append(Fault(document.name, line, message))
            seen[word] = document.lines[(*place, word)] = line
            walk(value, (*place, word), document, above)

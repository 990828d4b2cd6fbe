"""Constants of modules that would take longer to import than all pages take to make: they are read."""

import ast
from pathlib import Path
from typing import Any, Dict, Mapping


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def constants_of(path: Path) -> Dict[str, Any]:
    """Return the values that a module's top level gives to names, as far as they can be read."""
    known: Dict[str, Any] = {}
    for node in parsed(path).body:
        keep_constant(node, known)
    return known


def keep_constant(node: ast.stmt, known: Dict[str, Any]) -> None:
    """Add to `known` what a statement gives to one name, or to several at once."""
    if not isinstance(node, ast.Assign):
        return
    (target, *_) = node.targets
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    try:
        value = value_of(node.value, known)
    except ValueError:
        return
    values = value if isinstance(target, ast.Tuple) else [value]
    known.update({name.id: one for name, one in zip(names, values) if isinstance(name, ast.Name)})


def value_of(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """Return the value of an expression: a literal, a name in `known`, or a tuple of such. Raises ValueError."""
    if isinstance(node, ast.Name):
        if node.id not in known:
            raise ValueError(node.id)
        return known[node.id]
    if isinstance(node, ast.Tuple):
        values = []
        for item in node.elts:
            values += value_of(item.value, known) if isinstance(item, ast.Starred) else [value_of(item, known)]
        return tuple(values)
    return ast.literal_eval(node)

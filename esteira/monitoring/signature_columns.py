"""Which columns the view `requests` has: those of the signatures of all models that were ever deployed."""

import re
from dataclasses import dataclass, replace
from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

from esteira.monitoring.deployed import Deployed
from esteira.serving.signature import TensorSpec

# What is served where no model is known yet: modules/export.py.
DEFAULT_INPUTS = (TensorSpec("text", "DT_STRING", (None,)),)
DEFAULT_OUTPUTS = (
    TensorSpec("label", "DT_STRING", (None,)),
    TensorSpec("confidence", "DT_FLOAT", (None,)),
    TensorSpec("probabilities", "DT_FLOAT", (None, None)),
)
FIXED = (
    *("request_id", "row_number", "time", "endpoint", "deployed_model_id", "model_version", "release_id"),
    *("label", "confidence", "label_true", "error"),
)
TYPES = {
    "DT_STRING": "STRING",
    "DT_BOOL": "BOOL",
    **{f"DT_{name}": "FLOAT64" for name in ("HALF", "BFLOAT16", "FLOAT", "DOUBLE")},
    **{f"DT_{sign}INT{bits}": "INT64" for sign in ("", "U") for bits in (8, 16, 32, 64)},
}
# How a JSON value becomes one of SQL: null if it is of another type.
# https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#converters
READERS = {
    # Bytes that are not UTF-8 travel as {"b64": ...}, and stay base64 here.
    "STRING": "COALESCE(SAFE.STRING({0}), JSON_VALUE({0}, '$.b64'))",
    "FLOAT64": "SAFE.FLOAT64({0})",
    "INT64": "SAFE.INT64({0})",
    "BOOL": "SAFE.BOOL({0})",
}
PLACES = {"input": "instance", "output": "prediction"}
VECTOR, SCALAR, ANY, AS_JSON = "vector", "scalar", "any", "json"
# A name that can stand within a JSON path and a string of SQL as it is.
NAME_PATTERN = re.compile(r"[^\"'\\*?$\x00-\x1f\x7f]{1,200}\Z")
# https://cloud.google.com/bigquery/docs/schemas#column_names
MAX_IDENTIFIER = 300
RESERVED_PREFIXES = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier", "_change_")


@dataclass(frozen=True)
class Column:
    """An input or an output over all signatures that have it.

    `identifier` is its name in the view, empty where it goes into a fixed column only. `kind` is "scalar", "vector",
    "json" (a matrix, as text) or "any" (of two types, as text); `base` the type of a scalar, or of an element.
    `single` says that it may come as a list of one; `alone` that a signature has nothing else on its side;
    `always` that every signature has it; `checked` that a row without it is told as an error.
    """

    number: int
    side: str
    name: str
    kind: str
    base: str
    identifier: str = ""
    single: bool = False
    alone: bool = False
    always: bool = False
    checked: bool = True

    @property
    def is_vector(self) -> bool:
        return self.kind == VECTOR

    @property
    def type(self) -> str:
        return f"ARRAY<{self.base}>" if self.is_vector else self.base

    @property
    def path(self) -> str:
        return f'$."{self.name}"'

    @property
    def place(self) -> str:
        return PLACES[self.side]

    def read(self, value: str) -> str:
        """Return the SQL that makes a value of `base` of one of JSON."""
        return READERS[self.base].format(value)


@dataclass(frozen=True)
class Labelled:
    """The columns that label and confidence are read from, the first that is not null."""

    names: Tuple[Column, ...]
    numbers: Tuple[Column, ...]
    vectors: Tuple[Column, ...]
    confidences: Tuple[Column, ...]

    @property
    def all(self) -> Tuple[Column, ...]:
        return self.names + self.numbers + self.vectors


def columns_of(models: Sequence[Deployed]) -> Tuple[List[Column], Labelled]:
    """Return the columns of the inputs and outputs of all models, inputs first, and those that label a row."""
    signatures = [(model.inputs, model.outputs) for model in models if model.inputs and model.outputs]
    signatures = signatures or [(DEFAULT_INPUTS, DEFAULT_OUTPUTS)]
    columns = merged("input", [inputs for inputs, _ in signatures])
    columns += merged("output", [outputs for _, outputs in signatures])
    columns = identified([replace(column, number=number) for number, column in enumerate(columns)])
    return columns, labelled(columns, {likely_vector(outputs) for _, outputs in signatures})


def merged(side: str, signatures: Sequence[Sequence[TensorSpec]]) -> List[Column]:
    """Return one column for each name on this side, but for an output `label` of text and of numbers two."""
    found: Dict[str, List[TensorSpec]] = {}
    for tensor in (tensor for tensors in signatures for tensor in tensors):
        if NAME_PATTERN.match(tensor.name):
            found.setdefault(tensor.name, []).append(tensor)
    alone = {tensors[0].name for tensors in signatures if len(tensors) == 1}
    columns = []
    for name in sorted(found):
        always = all(any(tensor.name == name for tensor in tensors) for tensors in signatures)
        for tensors in label_types(found[name]) if (side, name) == ("output", "label") else [found[name]]:
            column = merge(side, name, tensors)
            checked = len(tensors) == len(found[name])
            columns.append(replace(column, alone=name in alone, always=always, checked=checked))
    return columns


def label_types(tensors: Sequence[TensorSpec]) -> Iterable[List[TensorSpec]]:
    texts = [tensor for tensor in tensors if form_of(tensor) == (SCALAR, "STRING")]
    others = [tensor for tensor in tensors if tensor not in texts]
    return [group for group in (texts, others) if group]


def merge(side: str, name: str, tensors: Sequence[TensorSpec]) -> Column:
    forms = {form_of(tensor) for tensor in tensors}
    kind, base = forms.pop() if len(forms) == 1 else (ANY, "STRING")
    return Column(0, side, name, kind, base, single=any(is_single(tensor) for tensor in tensors))


def form_of(tensor: TensorSpec) -> Tuple[str, str]:
    """Return the kind and the type of what a row has of this tensor; its first dimension counts the rows."""
    base = TYPES.get(tensor.dtype)
    if base is None or tensor.shape is None or len(tensor.shape) > 2:
        return AS_JSON, "STRING"
    return (SCALAR, base) if len(tensor.shape) < 2 or is_single(tensor) else (VECTOR, base)


def is_single(tensor: TensorSpec) -> bool:
    return tensor.shape is not None and len(tensor.shape) == 2 and tensor.shape[1] == 1


def identified(columns: Sequence[Column]) -> List[Column]:
    """Give each column its name in the view.

    A name that is fixed, or that an input and an output share, begins with input_ or output_.
    """
    sides: Dict[str, Set[str]] = {}
    for column in columns:
        sides.setdefault(identifier_of(column.name).lower(), set()).add(column.side)
    taken: Set[str] = {name.lower() for name in FIXED}
    named = []
    for column in columns:
        name = identifier_of(column.name)
        if fixed_as(column):
            named.append(column)
            continue
        if name.lower() in FIXED or len(sides[name.lower()]) > 1:
            name = f"{column.side}_{name}"
        name = free_name(name, taken)
        taken.add(name.lower())
        named.append(replace(column, identifier=name))
    return named


def identifier_of(name: str) -> str:
    identifier = re.sub(r"\W", "_", name, flags=re.ASCII)[: MAX_IDENTIFIER - 20]
    is_odd = identifier[0].isdigit() or identifier.lower().startswith(RESERVED_PREFIXES)
    return f"c{identifier}" if is_odd else identifier


def free_name(name: str, taken: Set[str]) -> str:
    """Return the name, or with a number after it where another column has it; SQL minds no case."""
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def fixed_as(column: Column) -> Optional[str]:
    """Return the fixed column that this output is, if it is one."""
    fixed = {("label", SCALAR, "STRING"): "label", ("confidence", SCALAR, "FLOAT64"): "confidence"}
    return fixed.get((column.name, column.kind, column.base)) if column.side == "output" else None


def likely_vector(outputs: Sequence[TensorSpec]) -> str:
    """Return the name of the output with a number for each class: `probabilities`, or the only vector; else nothing."""
    vectors = [tensor.name for tensor in outputs if form_of(tensor) == (VECTOR, "FLOAT64")]
    if "probabilities" in vectors:
        return "probabilities"
    return vectors[0] if len(vectors) == 1 else ""


def labelled(columns: Sequence[Column], vectors: Set[str]) -> Labelled:
    outputs = [column for column in columns if column.side == "output"]
    return Labelled(
        names=tuple(column for column in outputs if fixed_as(column) == "label"),
        numbers=tuple(c for c in outputs if c.name == "label" and (c.kind, c.base) == (SCALAR, "INT64")),
        vectors=tuple(c for c in outputs if c.name in vectors and (c.kind, c.base) == (VECTOR, "FLOAT64")),
        confidences=tuple(column for column in outputs if fixed_as(column) == "confidence"),
    )

"""Values of parameters: from the job's JSON to Python, and to the JSON that executors read."""

from typing import Any, Callable, Dict, List, Mapping

from esteira.errors import JobError
from esteira.local.jobs.spec import Scalar

TYPES: Dict[str, Any] = {
    "INT": int,
    "DOUBLE": float,
    "STRING": str,
    "NUMBER_INTEGER": int,
    "NUMBER_DOUBLE": float,
    "BOOLEAN": bool,
}
# protobuf's JSON writes a 64-bit integer as text.
READERS: Dict[str, Callable[[Any], Scalar]] = {"intValue": int, "doubleValue": float, "stringValue": str}


def read_value(value: Any, place: str) -> Scalar:
    """Return what an ml_pipelines.Value in JSON ({"intValue": "6"}) holds."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((kind, content),) = value.items()
        if kind in READERS:
            return READERS[kind](content)
    raise JobError(
        f"{place}: is {value!r}; expected one of {', '.join(READERS)}. Compile the job again: .venv/bin/inv compile"
    )


def write_value(value: Scalar) -> Dict[str, Any]:
    """Return a value as an ml_pipelines.Value in JSON."""
    if isinstance(value, (bool, int)):
        return {"intValue": str(int(value))}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": value}


def format_value(value: Scalar) -> str:
    """Return a value as it appears in a command line."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def bind_parameters(
    declared: Mapping[str, Any], values: Mapping[str, Any], plain_values: Mapping[str, Any]
) -> Dict[str, Scalar]:
    """Return the value of each runtime parameter that the job declares.

    `values` are Values, `plain_values` plain JSON; both stand in a job's runtimeConfig.
    Raises JobError that names every parameter without a value, of a wrong type or unknown.
    """
    given: Dict[str, Any] = {
        name: read_value(value, f"job.runtimeConfig.parameters.{name}") for name, value in values.items()
    }
    given.update(plain_values)
    faults: List[str] = []
    bound: Dict[str, Scalar] = {}
    for name in sorted(set(given) - set(declared)):
        known = ", ".join(sorted(declared)) or "none"
        faults.append(f"job.runtimeConfig: {name}: the job has no such parameter. It has: {known}.")
    for name in sorted(declared):
        definition = declared[name]
        kind = definition.get("parameterType") or definition.get("type", "STRING")
        if name not in given and "defaultValue" in definition:
            given[name] = definition["defaultValue"]
        if name in given:
            check_type(name, kind, given[name], faults, bound)
        elif not definition.get("isOptional"):
            faults.append(f"job.runtimeConfig: {name}: has no value. Expected {kind}: pass parameterValues.{name}.")
    if faults:
        raise JobError("\n".join(faults))
    return bound


def check_type(name: str, kind: str, value: Any, faults: List[str], bound: Dict[str, Scalar]) -> None:
    expected = TYPES.get(kind)
    if expected is None:
        faults.append(f"job.root.inputDefinitions.parameters.{name}: type {kind} is not supported here.")
    elif expected is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        bound[name] = float(value)
    elif expected is int and isinstance(value, float) and value.is_integer():
        bound[name] = int(value)
    elif isinstance(value, expected) and not (expected is int and isinstance(value, bool)):
        bound[name] = value
    else:
        faults.append(f"job.runtimeConfig: {name}: is {value!r}; expected {kind}.")

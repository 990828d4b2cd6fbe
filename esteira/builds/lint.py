"""What is wrong with a build file that neither its JSON schema nor gcloud notices.

`gcloud builds submit` (528.0.0) takes in silence a `waitFor` that names no step, repeated ids and
keys, `timeout: 60m`, an undefined substitution, scalar `args` and fields in snake_case. Some of them
Cloud Build refuses after the upload, some it misreads.
"""

import re
from typing import Any, Callable, Dict, Iterator, List

from esteira.builds.document import Document, Fault, Place, read_document
from esteira.builds.durations import MAX_TIMEOUT_S, parse_duration_s
from esteira.builds.fields import BUILD, DURATION, OPTIONS, STEP, is_of_kind
from esteira.builds.lint_steps import step_faults
from esteira.builds.lint_substitutions import substitution_faults
from esteira.suggest import suggestion

DEFAULT_TIMEOUT_S = 3600.0


def lint_build(text: str, name: str) -> List[Fault]:
    """Return the faults of a build file's text, by line; `name` is what they call the file."""
    return lint_document(read_document(text, name))


def lint_document(document: Document) -> List[Fault]:
    """Return the faults of a build file that was read, those of reading it among them."""
    faults = list(document.faults)
    if document.lines:
        shape = list(shape_faults(document))
        faults.extend(shape)
        # The rules below read values, so they need values of the right kinds.
        if not shape:
            for rule in RULES:
                faults.extend(rule(document))
    return sorted(faults, key=lambda fault: fault.line)


def shape_faults(document: Document) -> Iterator[Fault]:
    """Yield unknown fields and values of the wrong kind."""
    build = document.value
    if not isinstance(build, dict):
        yield document.fault((), "is no build; expected a mapping with the key steps.")
        return
    yield from mapping_faults(document, (), build, BUILD, "a build")
    if not build.get("steps"):
        yield document.fault(("steps",), "has no steps; a build needs one at least.")
    if isinstance(build.get("options"), dict):
        yield from mapping_faults(document, ("options",), build["options"], OPTIONS, "options")
    steps = build.get("steps")
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        if isinstance(step, dict):
            yield from mapping_faults(document, ("steps", index), step, STEP, "a step")


def mapping_faults(
    document: Document, place: Place, mapping: Dict[Any, Any], fields: Dict[str, str], what: str
) -> Iterator[Fault]:
    for key, value in mapping.items():
        if key not in fields:
            yield document.fault((*place, key), f'"{key}" is no field of {what}.{suggest_field(str(key), fields)}')
        elif not is_of_kind(value, fields[key]):
            yield document.fault((*place, key), f"{key} is {value!r}; expected {fields[key]}.")


def suggest_field(key: str, fields: Dict[str, str]) -> str:
    """Return a hint at the field that is meant: snake_case is the usual slip."""
    camel = re.sub(r"_([a-z])", lambda match: match.group(1).upper(), key)
    return suggestion(camel, fields) or f" Known: {', '.join(sorted(fields))}."


def duration_faults(document: Document) -> Iterator[Fault]:
    """Yield durations of a bad form, and steps that may run longer than the build."""
    build = document.value
    limit_s = DEFAULT_TIMEOUT_S
    for key in [key for key, kind in BUILD.items() if kind == DURATION and key in build]:
        try:
            seconds = parse_duration_s(build[key])
        except ValueError as error:
            yield document.fault((key,), f"{key}: {error}.")
            continue
        limit_s = seconds if key == "timeout" else limit_s
    if limit_s > MAX_TIMEOUT_S:
        yield document.fault(("timeout",), f"timeout is {limit_s:g} s; Cloud Build allows {MAX_TIMEOUT_S} s at most.")
    for index, step in enumerate(build["steps"]):
        if "timeout" in step:
            yield from step_timeout_faults(document, ("steps", index, "timeout"), step["timeout"], limit_s)


def step_timeout_faults(document: Document, place: Place, text: str, limit_s: float) -> Iterator[Fault]:
    try:
        seconds = parse_duration_s(text)
    except ValueError as error:
        yield document.fault(place, f"timeout: {error}.")
        return
    if seconds > limit_s:
        yield document.fault(place, f"timeout is {text}, longer than the build's {limit_s:g}s.")


RULES: List[Callable[[Document], Iterator[Fault]]] = [step_faults, duration_faults, substitution_faults]

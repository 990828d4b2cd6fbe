"""Rules on substitutions, as Cloud Build checks them with substitutionOption MUST_MATCH.

Source: "Substituting variable values" of Cloud Build's documentation, and Google's own runner
(cloud-build-local, validate/validate.go) for which fields are looked at.
"""

import difflib
from typing import Any, Dict, Iterator, Set, Tuple

from esteira.builds.document import Document, Fault, Place
from esteira.builds.substitutions import (
    BUILT_IN,
    OF_TRIGGERS,
    OVERRIDABLE,
    USER_KEY,
    bash_style_references,
    is_built_in,
    references,
)

MAX_KEY_LENGTH = 100
MAX_VALUE_LENGTH = 4000


def substitution_faults(document: Document) -> Iterator[Fault]:
    """Yield faults of the keys that a build declares and of those that it uses."""
    build = document.value
    declared = build.get("substitutions", {})
    options = build.get("options", {})
    loose = options.get("substitutionOption") == "ALLOW_LOOSE"
    yield from declaration_faults(document, declared)
    used: Set[str] = set()
    for place, text in templated_texts(build):
        used.update(references(text))
        for key in references(text):
            yield from reference_faults(document, place, key, declared, loose)
        if not options.get("dynamicSubstitutions"):
            for key in bash_style_references(text):
                message = f"${{{key}…}} uses a bash operation, which needs options.dynamicSubstitutions."
                yield document.fault(place, message)
    if loose or maps_all(build):
        return
    for key in declared:
        if key not in used and USER_KEY.fullmatch(key) and not is_used_by_bash(key, build):
            message = f"substitution {key} is declared and never used, which MUST_MATCH refuses. Remove it."
            yield document.fault(("substitutions", key), message)


def declaration_faults(document: Document, declared: Dict[str, str]) -> Iterator[Fault]:
    for key, value in declared.items():
        place: Place = ("substitutions", key)
        if not USER_KEY.fullmatch(key) and key not in OVERRIDABLE:
            message = f'substitution "{key}" has a bad form; expected an underscore, then A-Z, 0-9 and underscores.'
            yield document.fault(place, message)
        if len(key) > MAX_KEY_LENGTH or len(value) > MAX_VALUE_LENGTH:
            message = f"is too long; a key has {MAX_KEY_LENGTH} characters at most, a value {MAX_VALUE_LENGTH}."
            yield document.fault(place, f"substitution {key} {message}")


def reference_faults(
    document: Document, place: Place, key: str, declared: Dict[str, str], loose: bool
) -> Iterator[Fault]:
    if key in declared or is_built_in(key) or (loose and USER_KEY.fullmatch(key)):
        return
    known = [*declared, *sorted(BUILT_IN | OF_TRIGGERS)]
    close = difflib.get_close_matches(key, known, n=1)
    hint = f" Perhaps you meant ${close[0]}." if close else ""
    if USER_KEY.fullmatch(key):
        yield document.fault(place, f"${key} is used and not declared under substitutions.{hint}")
    else:
        yield document.fault(
            place, f"${key} is no built-in substitution; write $${key} for the shell's variable.{hint}"
        )


def templated_texts(build: Dict[str, Any]) -> Iterator[Tuple[Place, str]]:
    """Yield each text of a build in which Cloud Build substitutes, with its place; a script is none."""
    for index, step in enumerate(build["steps"]):
        for key in ("name", "dir", "entrypoint"):
            if key in step:
                yield ("steps", index, key), step[key]
        for key in ("args", "env"):
            for position, text in enumerate(step.get(key, [])):
                yield ("steps", index, key, position), text
    for position, text in enumerate(build.get("options", {}).get("env", [])):
        yield ("options", "env", position), text
    for key in ("images", "tags"):
        for position, text in enumerate(build.get(key, [])):
            yield (key, position), text
    for key in ("logsBucket", "serviceAccount"):
        if key in build:
            yield (key,), build[key]
    yield from nested_texts(build.get("artifacts", {}), ("artifacts",))
    yield from nested_texts(build.get("availableSecrets", {}), ("availableSecrets",))


def nested_texts(value: Any, place: Place) -> Iterator[Tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from nested_texts(item, (*place, key))


def maps_all(build: Dict[str, Any]) -> bool:
    """Tell whether a step gets every substitution as a variable, which counts as use."""
    everywhere = build.get("options", {}).get("automapSubstitutions", False)
    return any(step.get("automapSubstitutions", everywhere) for step in build["steps"])


def is_used_by_bash(key: str, build: Dict[str, Any]) -> bool:
    return any(key in bash_style_references(text) for _, text in templated_texts(build))

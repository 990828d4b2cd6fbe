"""Rules on a build's steps: their ids, their order, what they run and what they may read.

Sources: "Build configuration file schema" and "Configuring the order of build steps" of Cloud
Build's documentation, and Google's own runner (cloud-build-local, validate/validate.go), which
requires that waitFor names earlier steps.
"""

import re
from typing import Any, Dict, Iterator, List, Set

from esteira.builds.document import Document, Fault, Place
from esteira.suggest import suggestion

START = "-"
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
VARIABLE = re.compile(r"[^=]+=", re.DOTALL)


def step_faults(document: Document) -> Iterator[Fault]:
    """Yield the faults of steps whose values have the right kinds."""
    build = document.value
    yield from order_faults(document, build["steps"])
    secrets = secret_names(build)
    options = build.get("options", {})
    yield from variable_faults(document, ("options",), options, secrets)
    for index, step in enumerate(build["steps"]):
        place: Place = ("steps", index)
        yield from image_faults(document, place, step)
        yield from command_faults(document, place, step)
        yield from variable_faults(document, place, step, secrets)


def order_faults(document: Document, steps: List[Dict[str, Any]]) -> Iterator[Fault]:
    """Yield repeated ids, and waitFor entries that name no earlier step (so no cycle is left)."""
    every = [step["id"] for step in steps if step.get("id")]
    earlier: Set[str] = set()
    for index, step in enumerate(steps):
        place: Place = ("steps", index, "waitFor")
        own = step.get("id", "")
        for position, name in enumerate(step.get("waitFor", [])):
            if name != START and name not in earlier:
                yield document.fault((*place, position), f'waitFor names "{name}", {why_not(name, own, every)}')
        if own in earlier:
            yield document.fault(("steps", index, "id"), f'id "{own}" is another step\'s too; each needs its own.')
        elif own == START:
            yield document.fault(("steps", index, "id"), 'id "-" is what waitFor calls the start of the build.')
        if own:
            earlier.add(own)


def why_not(name: str, own: str, every: List[str]) -> str:
    if name == own:
        return "the step itself."
    if name in every:
        return "which comes later; a step waits for earlier ones only."
    return f"which is no step's id.{suggestion(name, every)}"


def image_faults(document: Document, place: Place, step: Dict[str, Any]) -> Iterator[Fault]:
    """Yield a missing image, and one whose content may change under its name."""
    name = step.get("name", "")
    if not name:
        yield document.fault((*place, "name"), "name is missing; expected the image that the step runs in.")
    elif "$" not in name and not DIGEST.search(name):
        yield document.fault((*place, "name"), f'image "{name}" has no digest; expected name@sha256:<64 hex>.')


def command_faults(document: Document, place: Place, step: Dict[str, Any]) -> Iterator[Fault]:
    """Yield a script beside args or entrypoint: Cloud Build takes one or the other."""
    if "script" not in step:
        return
    for key in ("entrypoint", "args"):
        if key in step:
            yield document.fault((*place, key), f"{key} stands beside script; a step has one or the other.")
    if not step["script"].strip():
        yield document.fault((*place, "script"), "script is empty.")


def variable_faults(document: Document, place: Place, holder: Dict[str, Any], secrets: Set[str]) -> Iterator[Fault]:
    """Yield env entries that are no KEY=VALUE, and secretEnv entries that no secret defines."""
    for position, entry in enumerate(holder.get("env", [])):
        if not VARIABLE.match(entry):
            yield document.fault((*place, "env", position), f'env entry "{entry}" is not of the form KEY=VALUE.')
    for position, name in enumerate(holder.get("secretEnv", [])):
        if name not in secrets:
            yield document.fault(
                (*place, "secretEnv", position),
                f'secretEnv names "{name}", which neither availableSecrets nor secrets defines.',
            )


def secret_names(build: Dict[str, Any]) -> Set[str]:
    """Return the variables that the build's secrets define."""
    names: Set[str] = set()
    available = build.get("availableSecrets", {})
    for listed in (available.get("secretManager"), available.get("inline"), build.get("secrets")):
        for secret in listed if isinstance(listed, list) else []:
            names.update(variables_of(secret) if isinstance(secret, dict) else [])
    return names


def variables_of(secret: Dict[str, Any]) -> Iterator[str]:
    """Yield the variables of a secret: its `env`, and the keys of its `envMap` or `secretEnv`."""
    if isinstance(secret.get("env"), str):
        yield secret["env"]
    for key in ("envMap", "secretEnv"):
        if isinstance(secret.get(key), dict):
            yield from (str(name) for name in secret[key])

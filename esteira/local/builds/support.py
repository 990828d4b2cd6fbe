"""Which fields of a build file this machine can honour; any other stops the build before it starts."""

import posixpath
from typing import Any, Dict, FrozenSet, Iterator, Mapping

from esteira.builds.document import Document, Fault, Place
from esteira.builds.lint_substitutions import templated_texts
from esteira.builds.substitutions import is_built_in, references, substitute

# What `_BUILDER` names on this machine: the project's environment in place of the builder image.
LOCAL_BUILDER = "esteira/builder"
# What `_MODE` is on this machine: others who use it may not write into what is deployed.
OWN_MODE = "u+rwX"

# tags, queueTtl and the second line of OPTIONS ask something of Cloud Build's service (its list of
# builds, its queue, its machine, its log) and nothing of the steps.
BUILD = frozenset({"steps", "timeout", "substitutions", "options", "tags", "queueTtl", "availableSecrets"})
OPTIONS = frozenset(
    {
        *("env", "automapSubstitutions", "substitutionOption"),
        *("machineType", "diskSizeGb", "logging", "logStreamingOption", "enableStructuredLogging"),
    }
)
STEP = frozenset(
    {
        *("id", "name", "waitFor", "dir", "entrypoint", "args", "script", "env", "secretEnv", "timeout"),
        *("allowFailure", "allowExitCodes", "automapSubstitutions"),
    }
)


def support_faults(document: Document, values: Mapping[str, str]) -> Iterator[Fault]:
    """Yield what a linted build asks for and this machine cannot do; `values` are its substitutions."""
    build = document.value
    yield from field_faults(document, (), build, BUILD)
    yield from field_faults(document, ("options",), build.get("options", {}), OPTIONS)
    for place, text in templated_texts(build):
        for key in references(text):
            if is_built_in(key) and key not in values:
                yield document.fault(place, f"${key} has no value outside Cloud Build; give one as a substitution.")
    for index, step in enumerate(build["steps"]):
        place = ("steps", index)
        yield from field_faults(document, place, step, STEP)
        yield from image_faults(document, (*place, "name"), substitute(step["name"], values))
        yield from folder_faults(document, (*place, "dir"), substitute(step.get("dir", ""), values))
        if not step.get("script") and not step.get("entrypoint") and not step.get("args"):
            yield document.fault(
                place, "has neither entrypoint, args nor script, and the builder starts nothing itself."
            )


def field_faults(
    document: Document, place: Place, mapping: Dict[str, Any], supported: FrozenSet[str]
) -> Iterator[Fault]:
    for key, value in mapping.items():
        if key not in supported and value not in (None, False, "", [], {}):
            message = f"{key} cannot be honoured on this machine. Remove it, or submit the build to Cloud Build."
            yield document.fault((*place, key), message)


def image_faults(document: Document, place: Place, image: str) -> Iterator[Fault]:
    if image != LOCAL_BUILDER:
        what = f'image "{image}" cannot run here' if image else "the image's name is empty"
        message = f"{what}; expected {LOCAL_BUILDER}, which stands for the project's environment."
        yield document.fault(place, f"{message} Give it as _BUILDER.")


def folder_faults(document: Document, place: Place, folder: str) -> Iterator[Fault]:
    """Yield a working folder that would lie outside the workspace."""
    if posixpath.isabs(folder) or posixpath.normpath(folder).split("/")[0] == "..":
        yield document.fault(place, f'dir "{folder}" is outside the workspace; expected a folder relative to it.')

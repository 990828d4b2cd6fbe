"""The fields that a build file may hold, with the kind of value that each takes.

Source: the resources Build, BuildStep and BuildOptions of the Cloud Build API v1, without what is
output only (https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds), and the page
"Build configuration file schema" (https://cloud.google.com/build/docs/build-config-file-schema).
"""

from typing import Callable, Dict

TEXT = "text"
TEXTS = "a list of texts"
FLAG = "true or false"
CODES = "a list of whole numbers"
DURATION = "a duration in seconds such as 600s"
MAP = "a mapping of texts"
OBJECT = "a mapping"
OBJECTS = "a list of mappings"
SIZE = "a whole number"

BUILD: Dict[str, str] = {
    "artifacts": OBJECT,
    "availableSecrets": OBJECT,
    "dependencies": OBJECTS,
    "gitConfig": OBJECT,
    "images": TEXTS,
    "logsBucket": TEXT,
    "options": OBJECT,
    "queueTtl": DURATION,
    "secrets": OBJECTS,
    "serviceAccount": TEXT,
    "source": OBJECT,
    "steps": OBJECTS,
    "substitutions": MAP,
    "tags": TEXTS,
    "timeout": DURATION,
}

STEP: Dict[str, str] = {
    "allowExitCodes": CODES,
    "allowFailure": FLAG,
    "args": TEXTS,
    "automapSubstitutions": FLAG,
    "dir": TEXT,
    "entrypoint": TEXT,
    "env": TEXTS,
    "id": TEXT,
    "name": TEXT,
    "script": TEXT,
    "secretEnv": TEXTS,
    "timeout": DURATION,
    "volumes": OBJECTS,
    "waitFor": TEXTS,
}

OPTIONS: Dict[str, str] = {
    "automapSubstitutions": FLAG,
    "defaultLogsBucketBehavior": TEXT,
    "diskSizeGb": SIZE,
    "dynamicSubstitutions": FLAG,
    "enableStructuredLogging": FLAG,
    "env": TEXTS,
    "logStreamingOption": TEXT,
    "logging": TEXT,
    "machineType": TEXT,
    "pool": OBJECT,
    "pubsubTopic": TEXT,
    "requestedVerifyOption": TEXT,
    "secretEnv": TEXTS,
    "sourceProvenanceHash": TEXTS,
    "substitutionOption": TEXT,
    "volumes": OBJECTS,
    "workerPool": TEXT,
}


def is_of_kind(value: object, kind: str) -> bool:
    """Tell whether a YAML value is what a field takes; durations are looked at elsewhere."""
    if kind in (TEXT, DURATION):
        return isinstance(value, str)
    if kind == FLAG:
        return isinstance(value, bool)
    if kind == SIZE:
        return is_whole_number(value) or (isinstance(value, str) and value.isdigit())
    if kind in (OBJECT, MAP):
        return isinstance(value, dict) and (kind == OBJECT or all(map(is_text, [*value, *value.values()])))
    checks: Dict[str, Callable[[object], bool]] = {
        TEXTS: is_text,
        CODES: is_whole_number,
        OBJECTS: lambda item: isinstance(item, dict),
    }
    return isinstance(value, list) and all(checks[kind](item) for item in value)


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_whole_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

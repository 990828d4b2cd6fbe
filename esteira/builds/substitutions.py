"""Cloud Build's substitutions: $KEY, ${KEY} and the escape $$.

The rules are those of the page "Substituting variable values" of Cloud Build's documentation
(https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values) and, where the
page is silent, of Google's own runner (GoogleCloudPlatform/cloud-build-local, subst/subst.go).
"""

import re
from typing import Callable, Iterator, Mapping

USER_KEY = re.compile(r"_[A-Z0-9_]+")

# Known to every build; the second set only to builds that a trigger started.
BUILT_IN = frozenset({"PROJECT_ID", "BUILD_ID", "PROJECT_NUMBER", "LOCATION"})
OF_TRIGGERS = frozenset(
    {
        "TRIGGER_NAME",
        "COMMIT_SHA",
        "REVISION_ID",
        "SHORT_SHA",
        "REPO_NAME",
        "REPO_FULL_NAME",
        "BRANCH_NAME",
        "TAG_NAME",
        "REF_NAME",
        "TRIGGER_BUILD_CONFIG_PATH",
        "SERVICE_ACCOUNT_EMAIL",
        "SERVICE_ACCOUNT",
    }
)
# The built-in ones that `gcloud builds submit --substitutions` may give a value.
OVERRIDABLE = frozenset({"REPO_NAME", "BRANCH_NAME", "TAG_NAME", "REVISION_ID", "COMMIT_SHA", "SHORT_SHA"})

REFERENCE = re.compile(r"\$(?:(?P<escape>\$)|\{(?P<braced>[A-Z_][A-Z0-9_]*)\}|(?P<bare>[A-Z_][A-Z0-9_]*))")
# ${_KEY:-default}, ${_KEY/a/b} and the like: only with dynamicSubstitutions.
BASH_STYLE = re.compile(r"\$(?:\$|\{(?P<key>[A-Z_][A-Z0-9_]*)[^}A-Z0-9_])")


def is_built_in(key: str) -> bool:
    return key in BUILT_IN or key in OF_TRIGGERS


def references(text: str) -> Iterator[str]:
    """Yield the keys that a text refers to, escaped ones left out."""
    for match in REFERENCE.finditer(text):
        key = match.group("braced") or match.group("bare")
        if key:
            yield key


def bash_style_references(text: str) -> Iterator[str]:
    """Yield the keys that a text uses with a bash operation, which Cloud Build leaves as they stand."""
    for match in BASH_STYLE.finditer(text):
        if match.group("key"):
            yield match.group("key")


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Return the text with each reference replaced, and `$$` by one dollar.

    A value is put in as it is: a `$` in it is not looked at again. A key without a value
    becomes empty, as Cloud Build does with ALLOW_LOOSE.
    """
    return REFERENCE.sub(replacement(values), text)


def replacement(values: Mapping[str, str]) -> "Callable[[re.Match[str]], str]":
    def replace(match: "re.Match[str]") -> str:
        if match.group("escape"):
            return "$"
        return values.get(match.group("braced") or match.group("bare"), "")

    return replace

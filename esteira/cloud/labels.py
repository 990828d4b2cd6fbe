"""How what we made is known again: by a label, and by a sentence where Google has no labels."""

import re
from typing import Any, Dict, Mapping

from esteira.settings import Settings

MANAGED_BY = "managed-by"
OURS = "esteira"
# Service accounts and identity pools have a description only.
MARKER = f"({MANAGED_BY}={OURS})"


def labels_of(settings: Settings) -> Dict[str, str]:
    """Return the labels of what is made for an environment.

    https://cloud.google.com/storage/docs/tags-and-labels#bucket-labels has which characters a value may have.
    """
    environment = re.sub(r"[^a-z0-9_-]", "-", settings.selected.lower())[:63]
    return {MANAGED_BY: OURS, "environment": environment, "pipeline": settings.pipeline.name}


def is_labelled(found: Mapping[str, Any]) -> bool:
    return bool((found.get("labels") or {}).get(MANAGED_BY) == OURS)


def is_of(settings: Settings, found: Mapping[str, Any]) -> bool:
    """Return whether what bears these labels was made for the chosen environment and pipeline."""
    labels = found.get("labels") or {}
    return all(labels.get(key) == value for key, value in labels_of(settings).items())


def is_marked(found: Mapping[str, Any]) -> bool:
    return MARKER in found.get("description", "")


def marked(description: str) -> str:
    return f"{description} {MARKER}"

"""What an environment's endpoint and model are called, and the labels that tell whose they are.

A project may hold several environments in one region, so that their names stand in it.
"""

import re
from typing import Dict

from esteira.errors import SettingsError
from esteira.settings import Settings

MANAGED = {"managed-by": "esteira"}
# https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/create
# What may name a model is more: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.models/upload
LONGEST = 63
# The endpoint that candidates are asked on: a model at 0 % of the traffic cannot be.
CHECK = "-check"
ENVIRONMENT = re.compile(r"[a-z0-9-]*[a-z0-9](?<!-check)")


def serving_id(settings: Settings) -> str:
    """Return the id of the endpoint that serves, and of the model. Raises SettingsError if it cannot be one."""
    environment, pipeline = settings.selected, settings.pipeline.name
    identity, longest = f"{pipeline}-{environment}", LONGEST - len(CHECK)
    if not ENVIRONMENT.fullmatch(environment):
        raise SettingsError(
            f"environments.{environment}: cannot be part of the name of a Vertex AI endpoint. Expected lower-case "
            f'letters, digits and dashes, a letter or digit last, and no "{CHECK}" there. '
            "Give the table in esteira.toml another name"
        )
    if len(identity) > longest:
        raise SettingsError(
            f"{identity}: is too long for the name of a Vertex AI endpoint: {len(identity)} characters. "
            f"Expected {longest} at most. Set a shorter pipeline.name, or give environments.{environment} a shorter "
            "name"
        )
    return identity


def check_id(settings: Settings) -> str:
    """Return the id of the endpoint that candidates are asked on."""
    return serving_id(settings) + CHECK


def serving_labels(settings: Settings) -> Dict[str, str]:
    """Return the labels that tell whose an endpoint or a model is; a value may hold no other characters."""
    environment = re.sub("[^a-z0-9_-]", "-", settings.selected.lower())[:LONGEST]
    return {**MANAGED, "pipeline": settings.pipeline.name, "environment": environment}


def told(labels: Dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items())

"""The settings of what is made: the pipeline, its data, its model."""

import os
import re
from typing import Any, Dict

from pydantic import Field, validator
from typing_extensions import Literal

from esteira.settings.section import Section, matched

# A pipeline's name becomes the id of a Vertex AI metadata context.
# https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs/create
PIPELINE_PATTERN = re.compile(r"^[a-z][a-z0-9-]{0,62}$")


class PipelineSettings(Section):
    """[pipeline]: what the pipeline is called, in every environment."""

    name: str = "sentiment"

    @validator("name")
    def check_name(cls, value: str) -> str:
        return matched(value, PIPELINE_PATTERN, "lower-case letters, digits and dashes, a letter first, at most 63")


class DataSettings(Section):
    """[data]: a CSV of one's own, its columns, and how its rows are split.

    `file` is relative to the repository; DATA= sets it for one command. Empty is the default data.
    """

    file: str = ""
    text_column: str = Field("text", min_length=1)
    label_column: str = Field("label", min_length=1)
    source_column: str = ""
    eval_percent: int = Field(25, ge=1, le=90)


class TrainingSettings(Section):
    """[training]: how long and with which encoder the model is trained."""

    epochs: int = Field(8, ge=1)
    seed: int = Field(1, ge=0)
    encoder: Literal["attention", "hub"] = "attention"
    hub_module: str = ""

    @validator("hub_module", always=True)
    def check_hub_module(cls, value: str, values: Dict[str, Any]) -> str:
        if values.get("encoder") == "hub" and not value:
            raise ValueError('is empty, but training.encoder is "hub"; expected the path or URL of a SavedModel')
        # A build and its tasks run in copies of the repository, each with a working folder of its own.
        if value and "://" not in value and not os.path.isabs(value):
            raise ValueError(f'is "{value}"; expected an absolute path or a URL')
        return value


class TuningSettings(Section):
    """[tuning]: the search that `make tune` makes."""

    trials: int = Field(8, ge=1)
    epochs: int = Field(4, ge=1)


class GateSettings(Section):
    """[gate]: what a model must reach before it is served."""

    accuracy_lift: float = Field(0.02, ge=-1, le=1)
    macro_f1: float = Field(0.40, ge=0, le=1)
    macro_f1_change: float = Field(-0.01, ge=-1, le=1)

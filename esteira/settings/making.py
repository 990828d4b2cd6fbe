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

    name: str = Field("sentiment", description="Its folder in the bucket, its models and its endpoint bear this name")

    @validator("name")
    def check_name(cls, value: str) -> str:
        return matched(value, PIPELINE_PATTERN, "lower-case letters, digits and dashes, a letter first, at most 63")


class DataSettings(Section):
    """[data]: a CSV of one's own, its columns, and how its rows are split."""

    file: str = Field(
        "",
        description="The CSV to train on, from the top of the repository or absolute; empty is the default data",
        example="headlines.csv",
    )
    text_column: str = Field("text", min_length=1, description="The column that holds the texts")
    label_column: str = Field("label", min_length=1, description="The column that holds the classes")
    source_column: str = Field(
        "", description="A column by which the model is measured in slices; empty is none", example="source"
    )
    eval_percent: int = Field(
        25, ge=1, le=90, description="The percentage of the rows that are held back to evaluate on"
    )


class TrainingSettings(Section):
    """[training]: how long and with which encoder the model is trained."""

    epochs: int = Field(8, ge=1, description="How often training goes over the data")
    seed: int = Field(1, ge=0, description="What random numbers begin with")
    encoder: Literal["attention", "hub"] = Field(
        "attention",
        description="What makes vectors of texts: attention over words that is trained along, or a SavedModel "
        "such as those of TensorFlow Hub",
    )
    hub_module: str = Field(
        "",
        description="The SavedModel of the encoder hub: an absolute path, whose files count as the release's, or a URL",
        example="/data/nnlm-en-dim50",
    )

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

    trials: int = Field(8, ge=1, description="How many sets of hyperparameters are tried")
    epochs: int = Field(4, ge=1, description="How often each of them is trained over the data")


class GateSettings(Section):
    """[gate]: what a model must reach before it is served."""

    accuracy_lift: float = Field(
        0.02, ge=-1, le=1, description="The accuracy, at least so much above that of always answering the largest class"
    )
    macro_f1: float = Field(0.40, ge=0, le=1, description="The mean of the classes' F1 scores, at least")
    macro_f1_change: float = Field(
        -0.01,
        ge=-1,
        le=1,
        description="macro-F1 less that of the model that was blessed last, at least; below 0 it may be a bit worse",
    )

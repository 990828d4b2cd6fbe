"""Typed settings, read once at the edge and passed down."""

from esteira.settings.load import load_settings
from esteira.settings.model import (
    BuildSettings,
    CloudSettings,
    DataSettings,
    DeploySettings,
    EndpointSettings,
    Environment,
    GateSettings,
    PipelineSettings,
    RunSettings,
    ServingSettings,
    Settings,
    TrainerSettings,
    TrainingSettings,
    TuningSettings,
)

__all__ = [
    "BuildSettings",
    "CloudSettings",
    "DataSettings",
    "DeploySettings",
    "EndpointSettings",
    "Environment",
    "GateSettings",
    "PipelineSettings",
    "RunSettings",
    "ServingSettings",
    "Settings",
    "TrainerSettings",
    "TrainingSettings",
    "TuningSettings",
    "load_settings",
]

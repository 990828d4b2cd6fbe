"""Typed settings, read once at the edge and passed down."""

from esteira.settings.load import load_settings
from esteira.settings.model import (
    BuildSettings,
    DataSettings,
    DeploySettings,
    Environment,
    GateSettings,
    PipelineSettings,
    RunSettings,
    ServingSettings,
    Settings,
    TrainingSettings,
    TuningSettings,
)

__all__ = [
    "BuildSettings",
    "DataSettings",
    "DeploySettings",
    "Environment",
    "GateSettings",
    "PipelineSettings",
    "RunSettings",
    "ServingSettings",
    "Settings",
    "TrainingSettings",
    "TuningSettings",
    "load_settings",
]

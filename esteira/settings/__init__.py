"""Typed settings, read once at the edge and passed down."""

from esteira.settings.environment import Environment
from esteira.settings.load import load_settings
from esteira.settings.making import DataSettings, GateSettings, PipelineSettings, TrainingSettings, TuningSettings
from esteira.settings.model import LOCAL, Settings
from esteira.settings.running import (
    BuildSettings,
    CloudSettings,
    DeploySettings,
    ImagesSettings,
    RunSettings,
    TrainerSettings,
)
from esteira.settings.serving import EndpointSettings, LogSettings, ServingSettings

__all__ = [
    "LOCAL",
    "BuildSettings",
    "CloudSettings",
    "DataSettings",
    "DeploySettings",
    "EndpointSettings",
    "Environment",
    "GateSettings",
    "ImagesSettings",
    "LogSettings",
    "PipelineSettings",
    "RunSettings",
    "ServingSettings",
    "Settings",
    "TrainerSettings",
    "TrainingSettings",
    "TuningSettings",
    "load_settings",
]

"""All settings as frozen, typed values: one class a section of esteira.toml."""

from pathlib import Path
from typing import Dict

from esteira.errors import StateError
from esteira.settings.environment import Environment
from esteira.settings.making import DataSettings, GateSettings, PipelineSettings, TrainingSettings, TuningSettings
from esteira.settings.running import (
    BuildSettings,
    CloudSettings,
    DeploySettings,
    ImagesSettings,
    RunSettings,
    TrainerSettings,
)
from esteira.settings.section import Section
from esteira.settings.serving import EndpointSettings, LogSettings, ServingSettings

LOCAL = "local"


class Settings(Section):
    """All settings, with the folders that they hold for.

    `root` is the repository; `state` the folder of the environment `local`;
    `selected` the name of the environment that was chosen.
    """

    root: Path
    state: Path
    selected: str
    pipeline: PipelineSettings
    data: DataSettings
    training: TrainingSettings
    tuning: TuningSettings
    gate: GateSettings
    serving: ServingSettings
    log: LogSettings
    run: RunSettings
    build: BuildSettings
    images: ImagesSettings
    deploy: DeploySettings
    cloud: CloudSettings
    trainer: TrainerSettings
    endpoint: EndpointSettings
    environments: Dict[str, Environment]

    @property
    def is_local(self) -> bool:
        return self.selected == LOCAL

    @property
    def environment(self) -> Environment:
        """The chosen Google Cloud environment; only where `is_local` is false."""
        return self.environments[self.selected]

    @property
    def bucket(self) -> str:
        """The place that the pipeline's files live under, a folder or a gs:// URI."""
        if self.is_local:
            return f"{self.state}/bucket/{self.pipeline.name}"
        return f"gs://{self.environment.bucket}/{self.pipeline.name}"

    @property
    def folder(self) -> Path:
        """The bucket as a folder. Raises StateError where the bucket is in the cloud."""
        self.require_local()
        return Path(self.bucket)

    @property
    def registry(self) -> str:
        """Where images are pushed to, host and path; "" where they are only kept."""
        if self.is_local:
            return self.images.registry.strip("/")
        place = self.environment
        return f"{place.region}-docker.pkg.dev/{place.project}/{place.repository}"

    @property
    def mirrors(self) -> Dict[str, str]:
        """The mirrors that bases are pulled from, by the registry that they stand for."""
        text = self.images.mirrors if self.is_local else self.environment.mirrors
        return {host: mirror for host, mirror in (pair.split("=") for pair in text.split(",") if pair)}

    def require_local(self) -> None:
        """Raise StateError where the environment is in the cloud."""
        if not self.is_local:
            raise StateError(
                f"ENV={self.selected}: this is done on the environment local only. Run the command without ENV="
            )

"""The pipeline as TFX compiles it where it is written with TFX's own Google Cloud components."""

from contextlib import contextmanager
from typing import Any, Dict, Iterator, Optional

from kfp.pipeline_spec import pipeline_spec_pb2 as pipeline_pb2
from tfx import v1 as tfx

from esteira.jobs.compile import compiled
from esteira.jobs.targets.tasks import Job
from esteira.settings import Settings

cloud = tfx.extensions.google_cloud_ai_platform
Resources = pipeline_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec
Config = Dict[str, Any]


def compiled_by_tfx(
    settings: Settings,
    *,
    training: Optional[Config] = None,
    serving: Optional[Config] = None,
    resources: Optional[Resources] = None,
) -> Job:
    """Return the job of the pipeline, compiled by TFX.

    `training` and `serving` are what custom_config of TFX's Google Cloud Trainer and Pusher holds beside the
    pipeline's own; without them the plain components stand there. `resources` are those of the Trainer.
    """

    def make_trainer(custom_config: Config, **inputs: Any) -> Any:
        if training is None:
            trainer = plain_trainer(custom_config=custom_config, **inputs)
        else:
            trainer = cloud.Trainer(custom_config={**custom_config, **training}, **inputs)
        return trainer.with_platform_config(resources) if resources is not None else trainer

    def make_pusher(push_destination: Any, **inputs: Any) -> Any:
        if serving is None:
            return plain_pusher(push_destination=push_destination, **inputs)
        return cloud.Pusher(custom_config=serving, **inputs)

    plain_trainer, plain_pusher = tfx.components.Trainer, tfx.components.Pusher
    with written_with(make_trainer, make_pusher):
        return compiled(settings)


@contextmanager
def written_with(trainer: Any, pusher: Any) -> Iterator[None]:
    """Let pipeline/ be as if it were written with these in the place of TFX's Trainer and Pusher.

    Made beside the pipeline's own, which would be thrown away, they would have the ids of those in one graph.
    """
    before = tfx.components.Trainer, tfx.components.Pusher
    tfx.components.Trainer, tfx.components.Pusher = trainer, pusher
    try:
        yield
    finally:
        tfx.components.Trainer, tfx.components.Pusher = before

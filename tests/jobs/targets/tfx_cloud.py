"""The pipeline with TFX's own Google Cloud components, as one writes it who wants to run it there alone."""

import json
from pathlib import Path
from typing import Any, Dict, Optional

from kfp.pipeline_spec import pipeline_spec_pb2 as pipeline_pb2
from tfx import v1 as tfx
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as kubeflow

from esteira.jobs.targets.tasks import Job
from esteira.settings import Settings
from pipeline import pipeline as plain

cloud = tfx.extensions.google_cloud_ai_platform
Resources = pipeline_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec


def compiled_by_tfx(
    settings: Settings,
    folder: Path,
    *,
    training: Optional[Dict[str, Any]] = None,
    serving: Optional[Dict[str, Any]] = None,
    resources: Optional[Resources] = None,
) -> Job:
    """Return the job of the pipeline, compiled by TFX.

    `training` and `serving` are what custom_config of TFX's Google Cloud Trainer and Pusher holds beside the
    pipeline's own; without them the plain components stand there. `resources` are those of the Trainer.
    """
    pipeline = make_pipeline(settings, training, serving, resources)
    config = kubeflow.KubeflowV2DagRunnerConfig(default_image="ESTEIRA_IMAGE")
    runner = kubeflow.KubeflowV2DagRunner(config, output_dir=str(folder), output_filename="job.json")
    runner.run(pipeline, write_out=True)
    job: Job = json.loads((folder / "job.json").read_text())
    return job


def make_pipeline(
    settings: Settings,
    training: Optional[Dict[str, Any]],
    serving: Optional[Dict[str, Any]],
    resources: Optional[Resources],
) -> tfx.dsl.Pipeline:
    parameters = plain.create_parameters({})
    examples = plain.create_example_gen(parameters["data_uri"])
    schema = plain.create_importer("schema_importer", parameters["schema_uri"], plain.artifacts.Schema)
    validation = plain.validate_data(examples, schema)
    transform, hyperparameters, trainer = plain.train_model(settings, parameters, examples, schema, gate=validation[-1])
    if training is not None:
        trainer = cloud.Trainer(
            module_file=parameters["modules_uri"],
            examples=transform.outputs["transformed_examples"],
            transform_graph=transform.outputs["transform_graph"],
            schema=schema.outputs["result"],
            hyperparameters=hyperparameters.outputs["result"],
            custom_config={**plain.create_training_config(settings.training), **training},
        )
        trainer.add_upstream_node(validation[-1])
    if resources is not None:
        trainer = trainer.with_platform_config(resources)
    *judges, pusher = plain.judge_model(settings, parameters, examples, trainer)
    if serving is not None:
        blessing = judges[1].outputs["blessing"]
        pusher = cloud.Pusher(model=trainer.outputs["model"], model_blessing=blessing, custom_config=serving)
    return tfx.dsl.Pipeline(
        pipeline_name=settings.pipeline.name,
        pipeline_root=plain.ROOT,
        components=[examples, schema, *validation, transform, hyperparameters, trainer, *judges, pusher],
        enable_cache=True,
    )

"""The legacy form: AI Platform Training and Prediction, which Google shut down on 2025-01-31.

It can be compiled and looked at (`make job`), as pipelines that were written for it are, and never deployed.
Its bodies are those of https://cloud.google.com/ai-platform/training/docs/reference/rest/v1/projects.jobs and
https://cloud.google.com/ai-platform/prediction/docs/reference/rest/v1/projects.models.versions.
"""

from typing import Any, Dict

from esteira.jobs.targets.names import (
    CLOUD_PUSHER,
    CLOUD_TRAINER,
    ENABLE_VERTEX,
    PLAIN_PUSHER,
    PLAIN_TRAINER,
    PUSH_DESTINATION,
    SERVING_ARGS,
    TRAINING_ARGS,
    TRAINING_LABELS,
)
from esteira.jobs.targets.tasks import Job, remove_parameter, required_tasks
from esteira.jobs.targets.training import training_labels
from esteira.release.manifest import Release
from esteira.settings import Settings

SHUT_DOWN = "2025-01-31"
LEGACY = 'cloud.target = "ai_platform"'


def place_on_ai_platform(job: Job, settings: Settings, release: Release) -> None:
    """Change the job so that it trains and serves on AI Platform, wherever trainer and endpoint say."""
    for task in required_tasks(job, PLAIN_TRAINER, LEGACY):
        # No job id: AI Platform takes each once, and TFX makes one of the time.
        task.custom_config = {
            **task.custom_config,
            ENABLE_VERTEX: False,
            TRAINING_ARGS: training_args(settings, task.image),
            TRAINING_LABELS: training_labels(release),
        }
        task.class_path = CLOUD_TRAINER
    for task in required_tasks(job, PLAIN_PUSHER, LEGACY):
        task.custom_config = {
            **task.custom_config,
            ENABLE_VERTEX: False,
            SERVING_ARGS: serving_args(settings, release),
        }
        task.class_path = CLOUD_PUSHER
        remove_parameter(job, task, PUSH_DESTINATION)


def training_args(settings: Settings, image: str) -> Dict[str, Any]:
    """Return a TrainingInput with the project that it is made in; TFX adds the command."""
    trainer, place = settings.trainer, settings.environment
    replica: Dict[str, Any] = {"imageUri": image}
    if trainer.accelerator_type:
        replica["acceleratorConfig"] = accelerators(trainer.accelerator_type, trainer.accelerator_count)
    args: Dict[str, Any] = {
        "project": place.project,
        "region": place.region,
        "scaleTier": "CUSTOM",
        "masterType": trainer.machine_type,
        "masterConfig": replica,
        "serviceAccount": place.runner_email,
    }
    if trainer.workers > 1:
        # A worker without an image takes the master's, says the API of workerConfig; TFX gives the master a command.
        worker = {key: value for key, value in replica.items() if key != "imageUri"}
        args.update(workerType=trainer.machine_type, workerCount=str(trainer.workers - 1))
        args.update({"workerConfig": worker} if worker else {})
    if place.network:
        args["network"] = place.network
    if place.kms_key:
        args["encryptionConfig"] = {"kmsKeyName": place.kms_key}
    return args


def serving_args(settings: Settings, release: Release) -> Dict[str, Any]:
    """Return the model's name and region, and what its version is beside what TFX adds.

    TFX adds name, deployment URI, the versions of TensorFlow and Python. A service account is left out, as a
    version takes one with a container of its own only.
    """
    endpoint, place = settings.endpoint, settings.environment
    scaling: Dict[str, Any] = {
        "minNodes": endpoint.min_replicas,
        "maxNodes": endpoint.max_replicas,
        "metrics": [{"name": "CPU_USAGE", "target": endpoint.cpu_percent}],
    }
    args: Dict[str, Any] = {
        "project_id": place.project,
        "model_name": model_name(settings.pipeline.name),
        "regions": [place.region],
        "framework": "TENSORFLOW",
        "machineType": endpoint.machine_type,
        "autoScaling": scaling,
        "labels": {"pipeline": release.pipeline, "release": release.id},
    }
    if endpoint.accelerator_type:
        args["acceleratorConfig"] = accelerators(endpoint.accelerator_type, endpoint.accelerator_count)
    return args


def model_name(pipeline: str) -> str:
    """Return a pipeline's name as a model of AI Platform may bear it: letters, digits and underscores."""
    return pipeline.replace("-", "_")


def accelerators(kind: str, count: int) -> Dict[str, str]:
    """Return an AcceleratorConfig; its count is an int64, which is a text in JSON."""
    return {"type": kind, "count": str(count)}

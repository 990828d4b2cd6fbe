"""Training on Vertex AI: in the Trainer's own task, or in a custom training job that TFX's Trainer starts."""

from typing import Any, Dict, List

from esteira.jobs.targets.names import (
    CLOUD_TRAINER,
    ENABLE_VERTEX,
    PLAIN_TRAINER,
    TRAINING_ARGS,
    TRAINING_JOB_ID,
    VERTEX_REGION,
)
from esteira.jobs.targets.tasks import ExecutorTask, Job, required_tasks, tasks_running
from esteira.release.manifest import ID_DIGITS, Release
from esteira.settings import Settings

# What a model follows from, besides the image.
TRAINED_ON = ("data", "hyperparameters", "modules")


def place_training(job: Job, settings: Settings, release: Release) -> None:
    """Change the job so that it trains where trainer.place says."""
    if settings.trainer.place == "task":
        for task in tasks_running(job, PLAIN_TRAINER):
            task.container["resources"] = task_resources(settings)
        return
    for task in required_tasks(job, PLAIN_TRAINER, 'trainer.place = "custom_job"'):
        start_custom_job(task, settings, release)


def task_resources(settings: Settings) -> Dict[str, Any]:
    """Return what a task's container may use, as PipelineContainerSpec.ResourceSpec: memory in GB.

    https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto; an int64 is a text in JSON.
    """
    trainer = settings.trainer
    resources: Dict[str, Any] = {"cpuLimit": float(trainer.cpus), "memoryLimit": float(trainer.memory_gb)}
    if trainer.accelerator_type:
        resources["accelerator"] = {"count": str(trainer.accelerator_count), "type": trainer.accelerator_type}
    return resources


def start_custom_job(task: ExecutorTask, settings: Settings, release: Release) -> None:
    """Let a Trainer start a custom training job and wait for it, instead of training itself."""
    task.custom_config = {
        **task.custom_config,
        ENABLE_VERTEX: True,
        VERTEX_REGION: settings.environment.region,
        # On Vertex AI this is the job's display name, which need not be unique.
        TRAINING_JOB_ID: f"{release.pipeline}-{task.name.lower()}",
        TRAINING_ARGS: training_args(settings, release, task.image),
    }
    task.class_path = CLOUD_TRAINER


def training_args(settings: Settings, release: Release, image: str) -> Dict[str, Any]:
    """Return a CustomJob with the project that it is made in, as TFX takes them.

    VertexJobClient.create_training_job (tfx/extensions/google_cloud_ai_platform/training_clients.py) reads
    labels and encryption beside `job_spec` only, and adds the command.
    https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs#CustomJob
    """
    place = settings.environment
    spec: Dict[str, Any] = {
        "service_account": place.runner_email,
        "worker_pool_specs": worker_pools(settings, image),
    }
    if place.network:
        spec["network"] = place.network
    args: Dict[str, Any] = {"project": place.project, "job_spec": spec, "labels": training_labels(release)}
    if place.kms_key:
        args["encryption_spec"] = {"kms_key_name": place.kms_key}
    return args


def worker_pools(settings: Settings, image: str) -> List[Dict[str, Any]]:
    """Return the pool of the chief, which is one replica, and that of the other workers where there are any."""
    replicas = [1, settings.trainer.workers - 1]
    return [worker_pool(settings, image, count) for count in replicas if count]


def worker_pool(settings: Settings, image: str, replicas: int) -> Dict[str, Any]:
    trainer = settings.trainer
    machine: Dict[str, Any] = {"machine_type": trainer.machine_type}
    if trainer.accelerator_type:
        machine.update(accelerator_type=trainer.accelerator_type, accelerator_count=trainer.accelerator_count)
    return {"container_spec": {"image_uri": image}, "machine_spec": machine, "replica_count": replicas}


def training_labels(release: Release) -> Dict[str, str]:
    """Return the labels that a training job is found by: the pipeline, and the content of what it is trained on.

    The release's id is none of them: the Trainer's custom_config is in its cache key, and a release that changes
    nothing of what it reads, such as one with another gate, shall find its model in the cache.
    """
    contents = {name: release.parts[name] for name in TRAINED_ON}
    digests = {name: part.content or part.digest for name, part in contents.items()}
    short = {name: digest.partition(":")[2][:ID_DIGITS] for name, digest in digests.items()}
    return {"pipeline": release.pipeline, **short}

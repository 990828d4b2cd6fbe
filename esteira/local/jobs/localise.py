"""A job of Google Cloud made one that runs on this machine, for a rehearsal of the cloud."""

import re
from typing import Any, Dict
from urllib.parse import urlsplit

from esteira.errors import JobError
from esteira.jobs.targets.names import (
    CLOUD_KEYS,
    CLOUD_PUSHER,
    CLOUD_TRAINER,
    PLAIN_PUSHER,
    PLAIN_TRAINER,
    PUSH_DESTINATION,
)
from esteira.jobs.targets.tasks import ExecutorTask, Job, add_parameter, filesystem_push, tasks_running
from esteira.local.jobs.store import PREFIX

CONTEXT = re.compile(r'projects/[^/"]+/locations/[^/"]+/metadataStores/[^/"]+(?=/contexts/)')


def localised(job: Job, bucket_folder: str) -> Job:
    """Return the job of a cloud environment with its bucket a folder, its Trainer and Pusher the plain ones.

    What was gs://BUCKET/name is bucket_folder/name, in every text. The model is pushed where a release's
    is, and resolvers ask the store of this machine. The image, labels and caching stay as they are.
    Raises JobError for a job whose pipeline root is in no bucket.
    """
    root = job["runtimeConfig"].get("gcsOutputDirectory", "")
    bucket = urlsplit(root).netloc
    if not root.startswith("gs://") or not bucket:
        raise JobError(
            f"job.runtimeConfig.gcsOutputDirectory: is {root or 'not set'}; expected gs://bucket/…, as a job has "
            "that is bound to an environment in Google Cloud. Run: make job ENV=name"
        )
    local: Job = with_places(job, re.compile(re.escape(f"gs://{bucket}") + r'(?=[/"\']|\Z)'), bucket_folder)
    for class_path in (PLAIN_TRAINER, CLOUD_TRAINER):
        for task in tasks_running(local, class_path):
            train_here(task)
    for task in tasks_running(local, CLOUD_PUSHER):
        push_here(local, task)
    return local


def with_places(value: Any, bucket: "re.Pattern[str]", folder: str) -> Any:
    """Return a copy of a JSON value in whose texts the bucket and the metadata store are those of this machine."""
    if isinstance(value, dict):
        return {key: with_places(inner, bucket, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_places(inner, bucket, folder) for inner in value]
    if isinstance(value, str):
        return CONTEXT.sub(PREFIX, bucket.sub(lambda _: folder, value))
    return value


def train_here(task: ExecutorTask) -> None:
    """Let a Trainer train in its own task, with what this machine has."""
    task.container.pop("resources", None)
    if task.class_path == CLOUD_TRAINER:
        task.class_path = PLAIN_TRAINER
        task.custom_config = without_cloud(task.custom_config)


def push_here(job: Job, task: ExecutorTask) -> None:
    """Let a Pusher push into the folder `serving` beside the pipeline root."""
    task.class_path = PLAIN_PUSHER
    task.custom_config = without_cloud(task.custom_config)
    serving = f"{job['runtimeConfig']['gcsOutputDirectory'].rpartition('/')[0]}/serving"
    add_parameter(job, task, PUSH_DESTINATION, filesystem_push(serving))


def without_cloud(config: Dict[str, Any]) -> Dict[str, Any]:
    return {key: value for key, value in config.items() if key not in CLOUD_KEYS}

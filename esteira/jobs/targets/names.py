"""What TFX 1.14 names its executors and the keys in their custom_config.

tfx/extensions/google_cloud_ai_platform/constants.py and trainer/executor.py define them; they stand here
too so that no job waits for TFX's import. tests/jobs/targets/test_names.py holds them against TFX.
"""

PLAIN_TRAINER = "tfx.components.trainer.executor.GenericExecutor"
PLAIN_PUSHER = "tfx.components.pusher.executor.Executor"
CLOUD_TRAINER = "tfx.extensions.google_cloud_ai_platform.trainer.executor.GenericExecutor"
CLOUD_PUSHER = "tfx.extensions.google_cloud_ai_platform.pusher.executor.Executor"

ENABLE_VERTEX = "ai_platform_enable_vertex"
VERTEX_REGION = "ai_platform_vertex_region"
VERTEX_IMAGE = "ai_platform_vertex_container_image_uri"
SERVING_ARGS = "ai_platform_serving_args"
TRAINING_ARGS = "ai_platform_training_args"
TRAINING_JOB_ID = "ai_platform_training_job_id"
TRAINING_LABELS = "ai_platform_training_labels"

CLOUD_KEYS = (
    ENABLE_VERTEX,
    VERTEX_REGION,
    VERTEX_IMAGE,
    SERVING_ARGS,
    TRAINING_ARGS,
    TRAINING_JOB_ID,
    TRAINING_LABELS,
)
PUSH_DESTINATION = "push_destination"

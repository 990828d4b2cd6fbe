"""What the Trainer is told: [training] of the settings, and what else its result depends on."""

from typing import Any, Dict

from esteira.release.encoder import digest_encoder, encoder_folder
from esteira.settings import TrainingSettings


def create_training_config(training: TrainingSettings) -> Dict[str, Any]:
    """Return the custom_config of the Trainer, with `hub_digest` where the encoder is a folder.

    With it the job, and the key in the cache, change with the encoder's files. Raises CompileError
    if the folder is missing or cannot be read.
    """
    config: Dict[str, Any] = training.dict()
    folder = encoder_folder(training)
    if folder:
        config["hub_digest"] = digest_encoder(folder)
    return config

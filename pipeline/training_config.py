"""What the Trainer is told: [training] of the settings, and what else its result depends on."""

from pathlib import Path
from typing import Any, Dict

from esteira.errors import CompileError
from esteira.release.digest import digest_files, files_below
from esteira.settings.model import TrainingSettings


def create_training_config(training: TrainingSettings) -> Dict[str, Any]:
    """Return the custom_config of the Trainer, with `hub_digest` where the encoder is a folder.

    With it the job, and the key in the cache, change with the encoder's files. Raises CompileError
    if the folder is missing or cannot be read.
    """
    config: Dict[str, Any] = training.dict()
    if training.encoder == "hub" and "://" not in training.hub_module:
        config["hub_digest"] = digest_encoder(Path(training.hub_module))
    return config


def digest_encoder(folder: Path) -> str:
    if not folder.is_dir():
        raise CompileError(
            f"training.hub_module: {folder}: no such folder.\n"
            "Expected the folder of a SavedModel that takes a batch of strings and returns vectors, or a URL."
        )
    try:
        return digest_files(files_below(folder))
    except OSError as error:
        raise CompileError(
            f"training.hub_module: {error.filename}: cannot be read: {error.strerror}. Mend its permissions."
        ) from error

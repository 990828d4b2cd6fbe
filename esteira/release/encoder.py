"""The encoder that a model is built upon, where it is a folder on this machine."""

from pathlib import Path
from typing import Callable, Optional

from esteira.errors import CompileError
from esteira.release.digest import digest_file, digest_files, files_below
from esteira.settings import TrainingSettings


def encoder_folder(training: TrainingSettings) -> Optional[Path]:
    """Return the folder of training.hub_module, None where it is a URL or not used."""
    if training.encoder == "hub" and "://" not in training.hub_module:
        return Path(training.hub_module)
    return None


def digest_encoder(folder: Path, digest: Callable[[Path], str] = digest_file) -> str:
    """Return one digest over the folder's files; CompileError if it is missing or cannot be read."""
    if not folder.is_dir():
        raise CompileError(
            f"training.hub_module: {folder}: no such folder.\n"
            "Expected the folder of a SavedModel that takes a batch of strings and returns vectors, or a URL."
        )
    try:
        return digest_files(files_below(folder), digest)
    except OSError as error:
        raise CompileError(
            f"training.hub_module: {error.filename}: cannot be read: {error.strerror}. Mend its permissions."
        ) from error

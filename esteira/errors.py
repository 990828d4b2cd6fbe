"""Every error that a user can meet, each with an exit code of its own.

An error's message says what failed with its value and place, what was expected,
and what to type next. `tasks.py` catches `EsteiraError` once, prints the message
and leaves with the code. Anything else is a defect of Esteira.
"""


class EsteiraError(Exception):
    """Base of all errors that are told to the user without a traceback."""

    exit_code = 1


class SettingsError(EsteiraError):
    """esteira.toml, an ESTEIRA_ variable or a flag holds something unusable."""

    exit_code = 3


class ProgramError(EsteiraError):
    """Another program is missing, failed or took too long."""

    exit_code = 4


class DataError(EsteiraError):
    """A data set cannot be fetched, read or used for training."""

    exit_code = 5


class TemplateError(EsteiraError):
    """A Cloud Build template cannot be rendered, or its result is not valid."""

    exit_code = 6


class BuildError(EsteiraError):
    """A Cloud Build file cannot be run here, or one of its steps failed."""

    exit_code = 7


class CompileError(EsteiraError):
    """The pipeline cannot be compiled to a job."""

    exit_code = 8


class JobError(EsteiraError):
    """A compiled job cannot be run, or one of its tasks failed."""

    exit_code = 9


class NotBlessedError(EsteiraError):
    """The run succeeded, and its model did not pass the gate."""

    exit_code = 10


class ServingError(EsteiraError):
    """A model cannot be served, or a served model answered wrongly."""

    exit_code = 11


class StateError(EsteiraError):
    """The state folder cannot be used: a full disk, no permission, no release."""

    exit_code = 12


class SourceError(EsteiraError):
    """There is no repository, or it holds what no part can be made of: a submodule, a link out of its folder."""

    exit_code = 13


class PlanError(EsteiraError):
    """The plan forbids this deploy: it needs a full one, or would bring back an older commit."""

    exit_code = 14


class LeaseError(EsteiraError):
    """Another deploy holds the environment."""

    exit_code = 15


class ImageError(EsteiraError):
    """A container image cannot be specified, built, checked or loaded."""

    exit_code = 18


class RegistryError(EsteiraError):
    """A container registry refuses, or serves something other than was asked for."""

    exit_code = 19


class GoogleError(EsteiraError):
    """Google Cloud refuses, does not answer, or lacks what a deploy needs.

    `status` is the HTTP status, 0 where there was no answer; `reason` Google's word for it, such as
    SERVICE_DISABLED or ALREADY_EXISTS.
    """

    exit_code = 21

    def __init__(self, message: str, status: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class WarehouseError(EsteiraError):
    """The request log cannot be written, read or queried."""

    exit_code = 22


class InterruptedRunError(EsteiraError):
    """Ctrl-C, where what was done by then is worth telling."""

    exit_code = 130

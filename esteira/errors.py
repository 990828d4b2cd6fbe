"""Every error that a user can meet, each with an exit code of its own.

An error's message says what failed with its value and place, what was expected,
and what to type next. docs/reference/exit-codes.md is made of the classes: of the first paragraph of their
docstrings, and of the one that begins with "Next:". `tasks.py` catches `EsteiraError` once, prints the message
and leaves with the code. Anything else is a defect of Esteira.
"""


class EsteiraError(Exception):
    """Base of all errors that are told to the user without a traceback."""

    exit_code = 1


class SettingsError(EsteiraError):
    """esteira.toml, an ESTEIRA_ variable or a flag holds something unusable.

    Next: correct what the message names, each fault with its place; `make settings` shows what is in force and what
    sets it.
    """

    exit_code = 3


class ProgramError(EsteiraError):
    """Another program is missing, failed or took too long.

    Next: read the end of its output, which the message has; `make doctor` checks the programs that a deploy needs.
    """

    exit_code = 4


class DataError(EsteiraError):
    """A data set cannot be fetched, read or used for training.

    Next: mend the rows or the file that the message names; `make data` prepares the data alone, `make schema` shows how
    it differs from the curated schema.
    """

    exit_code = 5


class TemplateError(EsteiraError):
    """A template cannot be rendered, its result is not valid, or a generated file is not what it is made from.

    Next: mend the template at the line that the message names, then `make generate`, and commit what it writes.
    """

    exit_code = 6


class BuildError(EsteiraError):
    """A build cannot be run, or a step of it failed that has no code of its own.

    Next: read the step's log, whose place the message has; in Google Cloud, `make logs ENV=name`. What was served
    before still is.
    """

    exit_code = 7


class CompileError(EsteiraError):
    """The pipeline cannot be compiled to a job.

    Next: mend the file of `pipeline/` or `modules/` that the message names; nothing was deployed.
    """

    exit_code = 8


class JobError(EsteiraError):
    """A compiled job cannot be run, or one of its tasks failed.

    Next: read the task's log, whose place the message has, mend what it says, and deploy again: finished tasks are not
    run again.
    """

    exit_code = 9


class NotBlessedError(EsteiraError):
    """The run succeeded, and its model did not pass the gate.

    Next: compare the metrics below the verdict with `[gate]` in esteira.toml; what was served before still is.
    """

    exit_code = 10


class ServingError(EsteiraError):
    """A model cannot be served, or a served model answered wrongly.

    Next: read which check failed, with what was expected and what came; `make smoke` asks what serves now.
    """

    exit_code = 11


class StateError(EsteiraError):
    """The state folder or the bucket cannot be used: a full disk, no permission, nothing deployed yet.

    Next: free space or mend the permissions of the place that the message names; `make deploy-full` where nothing is
    deployed yet.
    """

    exit_code = 12


class SourceError(EsteiraError):
    """There is no repository, or it holds what no part can be made of: a submodule, a link out of its folder.

    Next: run the command inside a git repository, and put files where the message names a submodule or a link.
    """

    exit_code = 13


class PlanError(EsteiraError):
    """The plan forbids this deploy: it needs a full one, or would bring back an older commit.

    Next: `make plan` shows why; then `make deploy`, which does what the plan says, or `make rollback` for an older
    state.
    """

    exit_code = 14


class LeaseError(EsteiraError):
    """Another deploy holds the environment.

    Next: `make status` shows which one; wait for its end and deploy again. What a killed deploy held is taken over by
    itself.
    """

    exit_code = 15


class ImageError(EsteiraError):
    """A container image cannot be specified, built, checked or loaded.

    Next: mend the file of `docker/` or the requirement that the message names, then `make images`.
    """

    exit_code = 18


class RegistryError(EsteiraError):
    """A container registry refuses, or serves something other than was asked for.

    Next: log in to the registry that the message names, or correct `images.registry`, `images.mirrors` or
    `docker/bases.toml`.
    """

    exit_code = 19


class GoogleError(EsteiraError):
    """Google Cloud refuses, does not answer, or lacks what a deploy needs.

    Next: `make doctor ENV=name` checks the project and says how to mend each thing; `make cloud-apply ENV=name` makes
    what is missing.

    `status` is the HTTP status, 0 where there was no answer; `reason` Google's word for it, such as
    SERVICE_DISABLED or ALREADY_EXISTS.
    """

    exit_code = 21

    def __init__(self, message: str, status: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class WarehouseError(EsteiraError):
    """The request log cannot be written, read or queried.

    Next: do what the message says about the table or the database; requests are answered all the same.
    """

    exit_code = 22


class InterruptedRunError(EsteiraError):
    """Interrupted: by Ctrl-C, where what was done by then is worth telling.

    Next: run the same command again to go on; a deploy in Google Cloud goes on by itself until `make cancel ENV=name`.
    """

    exit_code = 130

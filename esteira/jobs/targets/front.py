"""What a person types to look at the job of an environment and target: `make job`."""

import json
import tempfile
from pathlib import Path
from typing import Callable

from esteira.errors import EsteiraError
from esteira.files import write_json
from esteira.jobs.bind import RUNTIME, Job, bind_release
from esteira.jobs.compile import compile_job
from esteira.jobs.targets.legacy import LEGACY, SHUT_DOWN
from esteira.release.history import current_release
from esteira.release.manifest import ID_DIGITS, JOB, Part, Release
from esteira.release.parts import PREFIXES
from esteira.release.places import part_prefix
from esteira.release.store import Store, open_store
from esteira.settings import Settings
from esteira.steps import build_folder, read_job

# Stands for what only a deploy knows, in a job that is of no release.
NO_DIGEST = "sha256:" + "0" * 64

Say = Callable[[str], None]


def write_bound_job(settings: Settings, say: Say) -> Path:
    """Write build/job.json, the job that the environment and target of the settings get, and return its path.

    It is the current release's where there is one, else what is here is compiled, zeros standing for digests.
    Raises CompileError or StateError for what cannot be bound; a target that was shut down can be.
    """
    legacy = settings.cloud.target == "ai_platform" and not settings.is_local
    job = legacy_job(settings, say) if legacy else released_job(settings, say)
    path = build_folder(settings) / JOB
    write_json(path, job)
    say(f"The job of {settings.selected}: {path}")
    return path


def legacy_job(settings: Settings, say: Say) -> Job:
    """Return the job of what is here; nothing can have been released to a target that was shut down."""
    say(
        f"{LEGACY}: this form was shut down on {SHUT_DOWN} and cannot be deployed. "
        'Expected for a deploy: cloud.target = "vertex"'
    )
    return compiled_here(settings, say)


def released_job(settings: Settings, say: Say) -> Job:
    """Return the current release's job, bound anew to the settings; the job of what is here where there is none."""
    try:
        store = open_store(settings)
        release = current_release(store)
    except EsteiraError as error:
        say(f"{error}\nSo the current release is not known.")
        return compiled_here(settings, say)
    if release is None:
        return compiled_here(settings, say)
    say(f"Bound to the current release {release.id}.")
    return bind_release(settings, release, compiled_of(store, release))


def compiled_of(store: Store, release: Release) -> Job:
    return read_job(store, f"{part_prefix('job', release.parts['job'])}/{JOB}")


def compiled_here(settings: Settings, say: Say) -> Job:
    """Return the job that the pipeline here compiles to, bound to a release that is none."""
    say("Compiled from what is here. Zeros stand for the digests of a release.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / JOB
        compile_job(settings, path)
        compiled: Job = json.loads(path.read_text(encoding="utf-8"))
    return bind_release(settings, no_release(settings), compiled)


def no_release(settings: Settings) -> Release:
    """Return a release whose parts lie where a deploy would lay them, under digests of zeros."""
    digits = NO_DIGEST.partition(":")[2]
    uris = {name: f"{settings.bucket}/{prefix}/{digits}" for name, prefix in PREFIXES.items()}
    uris["image"] = f"{settings.registry or 'esteira'}/{RUNTIME}@{NO_DIGEST}"
    return Release(
        id="0" * ID_DIGITS,
        pipeline=settings.pipeline.name,
        commit="",
        dirty=False,
        kind="full",
        parts={name: Part(digest=NO_DIGEST, content=NO_DIGEST, uri=uri) for name, uri in uris.items()},
    )

"""The steps of the generated builds, each a function that hands its result on in a file below build/."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Dict, Mapping, Optional

from esteira.data.prepare import prepare_data
from esteira.data.user_csv import find_csv
from esteira.deploy.csv import fetch_csv
from esteira.errors import DataError, ServingError, StateError
from esteira.files import write_text
from esteira.jobs.bind import Job, bind_release
from esteira.jobs.compile import compile_job
from esteira.release.digest import digest_file
from esteira.release.history import (
    keep_outcome,
    keep_release,
    load_release,
    make_current,
    overtaken,
    read_pointer,
)
from esteira.release.lease import check_lease
from esteira.release.manifest import JOB, PATCH, Outcome, Part, Release, json_text
from esteira.release.order import Order, make_release, parent_parts, patch_name
from esteira.release.parts import lay_data, lay_hyperparameters, lay_job, lay_modules, read_parts, write_parts
from esteira.release.places import part_prefix, placed_part
from esteira.release.store import Store, open_store
from esteira.release.store.parallel import at_once
from esteira.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from esteira.serving.smoke import SmokeResult

DATA = "data"
SYNCED = "parts.json"
SYNCED_PARTS = ("data", "modules", "hyperparameters")
COMPILED = "job-part.json"
IMAGE = "image-part.json"
RELEASE = "release"


def build_folder(settings: Settings) -> Path:
    return settings.root / "build"


def data_step(settings: Settings, order: Optional[Order]) -> str:
    """Prepare the data under build/data, unless the current release has it; return what it holds.

    Without an order, as where it is typed by hand, it is prepared in any case.
    """
    if order is None:
        return prepare(settings)
    store = open_store(settings)
    if parent_parts(store, order, ["data"]):
        return f"data: as in release {order.parent}"
    fetch_csv(settings, store, order)
    csv = find_csv(settings)
    if csv and order.csv and digest_file(csv) != order.csv:
        raise DataError(f"{csv}: was changed after the deploy began. Run the command again.")
    return prepare(settings)


def prepare(settings: Settings) -> str:
    """Prepare the data set under build/data; return what it holds."""
    prepared = prepare_data(settings, build_folder(settings) / DATA, find_csv(settings))
    labels = ", ".join(f"{label} {sum(rows):,}" for label, rows in prepared.label_rows.items())
    return (
        f"{prepared.train_rows:,} rows to train on, {prepared.eval_rows:,} to evaluate on ({labels}); "
        f"dropped {prepared.blank_rows:,} blank and {prepared.duplicate_rows:,} repeated"
    )


def sync_step(settings: Settings, order: Order) -> None:
    """Lay data, modules and hyperparameters down in the store, those that it hasn't from the current release."""
    store, build, modules = open_store(settings), build_folder(settings), settings.root / "modules"
    parts = parent_parts(store, order, SYNCED_PARTS)
    for name, lay, folder in [
        ("data", lay_data, build / DATA),
        ("modules", lay_modules, modules),
        ("hyperparameters", lay_hyperparameters, modules),
    ]:
        if name not in parts:
            parts[name] = lay(store, order.parts[name], folder)
    write_parts(build / SYNCED, {name: parts[name] for name in SYNCED_PARTS})


def compile_step(settings: Settings, order: Order) -> str:
    """Compile the pipeline and lay the job down, unless the current release has it; return what was done."""
    store, build = open_store(settings), build_folder(settings)
    part = parent_parts(store, order, ["job"]).get("job")
    said = f"job: as in release {order.parent}"
    if part is None:
        compile_job(settings, build / JOB)
        part = lay_job(store, order.parts["job"], build / JOB)
        said = f"job: {part.uri}"
    write_parts(build / COMPILED, {"job": part})
    return said


def image_step(settings: Settings, order: Order, environ: Mapping[str, str], say: Callable[[str], None]) -> str:
    """Make the runtime image and push it where a registry is set, unless the current release has it.

    On `local` it is left out where its base cannot be reached.
    """
    from esteira.images.part import image_part, is_at_hand

    store, build = open_store(settings), build_folder(settings)
    part = parent_parts(store, order, ["image"]).get("image")
    said = f"as in release {order.parent}"
    if part is None or not is_at_hand(settings, part):
        part, said = image_part(settings, store, order, environ, say)
    write_parts(build / IMAGE, {"image": part})
    return said


def release_step(settings: Settings, order: Order, build_id: str = "") -> Release:
    """Bind the job to the parts and write the release into the store's history; `build_id` is that of the build."""
    store, build = open_store(settings), build_folder(settings)
    parts = read_parts(build / SYNCED, again(settings, "sync"))
    parts.update(made_parts(settings, store, order))
    parts["settings"] = Part(digest=order.parts["settings"])
    release = make_release(settings, order, parts, build_id)
    compiled = read_job(store, f"{part_prefix('job', parts['job'])}/{JOB}")
    job = json_text(bind_release(settings, release, compiled, known_number(settings))).encode()
    at_once(
        lambda: store.write(f"releases/{release.id}/{JOB}", job),
        lambda: keep_patch(store, order, release),
    )
    write_text(build / RELEASE, release.id + "\n")
    return keep_release(store, release)


def known_number(settings: Settings) -> str:
    """Return the number of the environment's project, "" on this machine."""
    if settings.is_local:
        return ""
    from esteira.google.open import open_api
    from esteira.google.project import project_number

    return project_number(settings, open_api(settings))


def keep_patch(store: Store, order: Order, release: Release) -> None:
    """Lay what differs from the commit beside the release's manifest, so that it can be made again."""
    waiting = store.read(patch_name(order.patch)) if order.patch else None
    if waiting:
        store.write(f"releases/{release.id}/{PATCH}", waiting.content)
        store.delete([patch_name(order.patch)])


def made_parts(settings: Settings, store: Store, order: Order) -> Dict[str, Part]:
    """Return the parts `image` and `job`: of a full build as its steps made them, else the current release's."""
    build = build_folder(settings)
    if order.kind == "full":
        image = read_parts(build / IMAGE, again(settings, "image"))
        return {**image, **read_parts(build / COMPILED, again(settings, "compile"))}
    if order.parent is None:
        raise StateError("a partial deploy needs a release whose image and job it can use. Run: make deploy-full")
    known = load_release(store, order.parent).parts
    for name in ("image", "job"):
        if known[name].digest != order.parts[name]:
            raise StateError(f"release {order.parent}: its {name} was made of other files. Run: make deploy-full")
    return {name: placed_part(store, name, known[name]) for name in ("image", "job")}


def read_job(store: Store, name: str) -> Job:
    """Return a job that lies in the store; StateError if it is lost or damaged."""
    stored = store.read(name)
    try:
        job: Job = json.loads(stored.content if stored else "")
    except ValueError:
        raise StateError(f"{store.uri}/{name}: is lost or damaged. Run: make deploy-full FORCE=1") from None
    return job


def run_step(settings: Settings, build: str, console: "Console") -> Release:
    """Run the release's job and keep what it came to; an error unless its model passed the gate."""
    from esteira.jobs.verdict import check_outcome, evaluation_table

    store, release = open_store(settings), built_release(settings)
    job = read_job(store, f"releases/{release.id}/{JOB}")
    release = keep_outcome(store, release.id, run_job(settings, store, release, job, build, console))
    outcome = release.outcome
    if outcome and outcome.evaluation:
        console.print(evaluation_table(outcome.evaluation))
    if outcome:
        check_outcome(outcome)
    return release


def run_job(settings: Settings, store: Store, release: Release, job: Job, build: str, console: "Console") -> Outcome:
    """Run a bound job here, or on Vertex AI, and return what it came to."""
    if settings.is_local:
        from esteira.jobs.run import run_release

        return run_release(settings, release.id, job)
    from esteira.google.open import open_api
    from esteira.vertex.run import run_release as run_on_vertex

    say = partial(console.print, markup=False)
    return run_on_vertex(settings, open_api(settings), store, release.id, job, build, say)


def smoke_step(settings: Settings, console: "Console") -> None:
    """Serve the pushed model and ask it over HTTP; ServingError if an answer is wrong.

    WarehouseError if the request log cannot be written: no other model would mend that, and the next try asks again.
    """
    from esteira.serving.smoke import SmokeError
    from esteira.serving.smoke_view import smoke_table

    store, release = open_store(settings), built_release(settings)
    outcome = blessed_outcome(settings, release)
    try:
        result = smoke_release(settings, store, release)
    except ServingError as error:
        if isinstance(error, SmokeError):
            console.print(smoke_table(error.result))
        keep_outcome(store, release.id, outcome.copy(update={"error": f"smoke test: {error}"}))
        raise
    if outcome.error:
        keep_outcome(store, release.id, outcome.copy(update={"error": ""}))
    console.print(smoke_table(result))


def smoke_release(settings: Settings, store: Store, release: Release) -> "SmokeResult":
    """Ask the release's model: served here, or deployed to Vertex AI, where it gets no traffic yet."""
    if settings.is_local:
        from esteira.serving.smoke_here import smoke_deployed

        return smoke_deployed(settings, store, release)
    from esteira.google.open import open_api
    from esteira.serving.check_known import known_texts
    from esteira.vertex.smoke import smoke_release as smoke_on_vertex

    return smoke_on_vertex(settings, open_api(settings), store, release, known_texts(settings, store, release))


def promote_step(settings: Settings, order: Order) -> Release:
    """Move `current` to the release that was run and smoke-tested.

    Raises ServingError if the smoke test failed, LeaseError if the deploy has lost its lease, ConflictError
    if another release is served by now than when this one was made, GoogleError where Vertex AI refuses: if it is
    promoted by then, the message says so.
    """
    store, release = open_store(settings), built_release(settings)
    outcome = blessed_outcome(settings, release)
    if outcome.error:
        raise ServingError(f"release {release.id}: {outcome.error}\nRun: {again(settings, 'smoke')}")
    served = read_pointer(store).release
    if served not in (release.parent or "", release.id):
        raise overtaken(store, release.id, served)
    if order.lease:
        check_lease(store, order.lease)
    move = partial(make_current, store, release.id, if_generation=order.generation)
    if settings.is_local:
        move()
    else:
        from esteira.vertex.promote import promote_release

        promote_release(settings, store, release, move)
    return release


def again(settings: Settings, task: str) -> str:
    """Return what to type so that a step is done: on this machine its task, in a build's place another deploy."""
    return f".venv/bin/inv {task}" if settings.is_local else f"make deploy ENV={settings.selected}"


def built_release(settings: Settings) -> Release:
    """Return the release that the last release step made, as the history has it."""
    path = build_folder(settings) / RELEASE
    try:
        release = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise StateError(f"{path}: no such file. Run: {again(settings, 'release')}") from None
    return load_release(open_store(settings), release)


def blessed_outcome(settings: Settings, release: Release) -> Outcome:
    """Return what the release's run came to; an error unless its model is blessed."""
    from esteira.jobs.verdict import check_outcome

    if release.outcome is None:
        raise StateError(f"release {release.id}: has not been run. Run: {again(settings, 'run')}")
    check_outcome(release.outcome)
    return release.outcome

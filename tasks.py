"""The index of everything one can do here. `make` lists the same by purpose."""

import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, List

from invoke import Context, task

from esteira.edge import (
    at_the_edge,
    for_environment,
    local_settings,
    number,
    origins_here,
    overrides_here,
    required_variable,
    settings_here,
    settings_in,
    switch,
    variable,
)

if TYPE_CHECKING:
    from rich.console import Console

# Steps of a build run with their output in a pipe, where rich would guess a width of 80.
PIPE_WIDTH = 200
SET = {"set": "Override a setting: --set section.key=value"}


@lru_cache(maxsize=None)
def console() -> "Console":
    """Return the terminal. Importing rich takes a tenth of a short command's time, so that it is done on use."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    return Console(
        soft_wrap=True,
        highlight=False,
        emoji=False,
        width=None if is_terminal else PIPE_WIDTH,
        # FORCE_COLOR asks for colours in a pipe, too, and not for lines that are written over.
        force_interactive=None if is_terminal else False,
    )


def build_id() -> str:
    """Return the id of the build that a step is one of, "" where it is typed by hand."""
    return variable("BUILD_ID") or ""


def tell(text: object) -> None:
    """Print a text as it is, or a table: a name may hold what looks like markup."""
    if isinstance(text, str):
        print(for_environment(text))
    else:
        with console().capture() as shown:
            console().print(text, markup=False)
        print(for_environment(shown.get()), end="")


@task(iterable=["set"], help=SET)
@at_the_edge
def settings(c: Context, set: List[str]) -> None:
    """Show every setting in force."""
    from esteira.settings.show import show_settings

    tell(show_settings(settings_here(set), origins_here(set)))


@task(iterable=["set"], help={**SET, "check": "Fail if a committed file is not what it is made from"})
@at_the_edge
def generate(c: Context, set: List[str], check: bool = False) -> None:
    """Write what is made from other files: the Cloud Build files, the schema of release.json, docs/reference/."""
    from esteira.generate import check_generated, write_generated

    (check_generated if check else write_generated)(settings_here(set))


@task(iterable=["set"], help=SET)
@at_the_edge
def plan(c: Context, set: List[str]) -> None:
    """Show what a deploy would do here, and why."""
    from esteira.deploy.planned_from import plan_against
    from esteira.release.plan_view import show_plan

    made = plan_against(settings_here(set), variable("BASE"), lambda root: settings_in(root, set))
    tell(show_plan(made, variable("FORMAT") or "table"))


@task(iterable=["set"], help=SET)
@at_the_edge
def deploy(c: Context, set: List[str]) -> None:
    """Do what the plan says."""
    from esteira.deploy.front import deploy

    deploy(settings_here(set), "auto", overrides_here(set), switch("FORCE"), switch("WAIT", default=True), console())


@task(iterable=["set"], help=SET)
@at_the_edge
def deploy_partial(c: Context, set: List[str]) -> None:
    """Run new modules, data, hyperparameters or settings; refuse where the plan is full."""
    from esteira.deploy.front import deploy

    deploy(settings_here(set), "partial", overrides_here(set), switch("FORCE"), switch("WAIT", default=True), console())


@task(iterable=["set"], help=SET)
@at_the_edge
def deploy_full(c: Context, set: List[str]) -> None:
    """Build, train, evaluate and serve what is here."""
    from esteira.deploy.front import deploy

    deploy(settings_here(set), "full", overrides_here(set), switch("FORCE"), switch("WAIT", default=True), console())


@task
@at_the_edge
def status(c: Context) -> None:
    """Show what is being deployed, what came of the last deploy, and what is served."""
    from esteira.deploy.status import read_status, show_status

    tell(show_status(read_status(settings_here()), variable("FORMAT") or "text"))


@task
@at_the_edge
def cancel(c: Context) -> None:
    """End the deploy that runs in Google Cloud: its build, and its run."""
    from esteira.deploy.remote_state import cancel_deploy

    cancel_deploy(settings_here(), tell)


@task
@at_the_edge
def logs(c: Context) -> None:
    """Show the log of the last deploy: of its build, and of its run's tasks."""
    from esteira.deploy.remote_state import show_logs

    show_logs(settings_here(), tell, follow=switch("FOLLOW"))


@task(iterable=["set"], help=SET)
@at_the_edge
def data(c: Context, set: List[str]) -> None:
    """Prepare the data under build/data: a step of the build."""
    from esteira.deploy.hand_over import given_order
    from esteira.steps import data_step

    with given_order(settings_here(set), variable("PLAN"), "data", build_id()) as order:
        tell(data_step(settings_here(set), order))


@task
@at_the_edge
def sync(c: Context) -> None:
    """Lay data, modules and hyperparameters down in the bucket: a step of the build."""
    from esteira.deploy.hand_over import step_order
    from esteira.steps import sync_step

    with step_order(settings_here(), variable("PLAN"), "sync", build_id(), force=switch("FORCE")) as order:
        sync_step(settings_here(), order)


@task(iterable=["set"], help=SET)
@at_the_edge
def compile(c: Context, set: List[str]) -> None:
    """Compile the pipeline to a job in the bucket: a step of the build."""
    from esteira.deploy.hand_over import step_order
    from esteira.steps import compile_step

    with step_order(settings_here(set), variable("PLAN"), "compile", build_id(), force=switch("FORCE")) as order:
        tell(compile_step(settings_here(set), order))


@task(iterable=["set"], help=SET)
@at_the_edge
def image(c: Context, set: List[str]) -> None:
    """Make the runtime image and push it where a registry is set: a step of the build."""
    from esteira.deploy.hand_over import step_order
    from esteira.steps import image_step

    with step_order(settings_here(set), variable("PLAN"), "image", build_id(), force=switch("FORCE")) as order:
        tell(image_step(settings_here(set), order, os.environ, tell))


@task
@at_the_edge
def release(c: Context) -> None:
    """Bind the job to the parts and write the release into the history: a step of the build."""
    from esteira.deploy.hand_over import step_order
    from esteira.steps import release_step

    with step_order(settings_here(), variable("PLAN"), "release", build_id(), force=switch("FORCE")) as order:
        tell(f"release {release_step(settings_here(), order, build_id()).id}")


@task(iterable=["set"], help=SET)
@at_the_edge
def run(c: Context, set: List[str]) -> None:
    """Run the release's job and say whether its model is blessed: a step of the build."""
    from esteira.deploy.hand_over import given_order
    from esteira.steps import run_step

    with given_order(settings_here(set), variable("PLAN"), "run", build_id()):
        run_step(settings_here(set), build_id(), console())


@task(iterable=["set"], help=SET)
@at_the_edge
def smoke(c: Context, set: List[str]) -> None:
    """Serve the pushed model, in the cloud beside the current one, and ask it: a step of the build."""
    from esteira.deploy.hand_over import given_order
    from esteira.steps import smoke_step

    with given_order(settings_here(set), variable("PLAN"), "smoke", build_id()):
        smoke_step(settings_here(set), console())


@task(iterable=["set"], help=SET)
@at_the_edge
def promote(c: Context, set: List[str]) -> None:
    """Move the traffic, and `current`, to the release that passed: a step of the build."""
    from esteira.deploy.hand_over import last_order
    from esteira.steps import promote_step

    with last_order(settings_here(set), variable("PLAN"), "promote", build_id(), force=switch("FORCE")) as order:
        tell(f"current is {promote_step(settings_here(set), order).id}")


@task
@at_the_edge
def releases(c: Context) -> None:
    """List the releases, the newest first."""
    from esteira.release.history_view import show_releases
    from esteira.release.store import open_store

    tell(show_releases(open_store(settings_here()), variable("FORMAT") or "table"))


@task
@at_the_edge
def show(c: Context) -> None:
    """Show a release, the current one unless RELEASE= names another."""
    from esteira.release.history_view import show_release
    from esteira.release.store import open_store

    tell(show_release(open_store(settings_here()), variable("RELEASE"), variable("FORMAT") or "table"))


@task
@at_the_edge
def diff(c: Context) -> None:
    """Compare two releases: parts, files, hyperparameters, metrics."""
    from esteira.release.compare_view import show_comparison
    from esteira.release.store import open_store

    tell(show_comparison(open_store(settings_here()), variable("A"), variable("B"), variable("FORMAT") or "table"))


@task
@at_the_edge
def rollback(c: Context) -> None:
    """Serve a former release again: the previous one, unless RELEASE= names another."""
    from esteira.deploy.front import roll_back

    roll_back(settings_here(), variable("RELEASE"), console())


@task
@at_the_edge
def gc(c: Context) -> None:
    """Remove what no kept release needs, after showing it."""
    from esteira.deploy.front import collect_garbage

    collect_garbage(settings_here(), number("KEEP", 10), switch("YES"), console())


@task
@at_the_edge
def lineage(c: Context) -> None:
    """Show what made a release, a model or a part, and draw it."""
    from esteira.release.lineage.view import show_lineage

    tell(show_lineage(settings_here(), variable("RELEASE"), variable("MODEL"), variable("PART"), variable("FORMAT")))


@task
@at_the_edge
def doctor(c: Context) -> None:
    """Check what a deploy needs, and say how to mend what is missing."""
    from esteira.cloud.front import doctor as check

    check(settings_here(), os.environ, console())


@task
@at_the_edge
def cloud_plan(c: Context) -> None:
    """Show what is missing, different or superfluous in the environment's project."""
    from esteira.cloud.front import cloud_plan as show_plan

    tell(show_plan(settings_here(), variable("FORMAT") or "table"))


@task
@at_the_edge
def cloud_apply(c: Context) -> None:
    """Make the environment's project what it must be."""
    from esteira.cloud.front import cloud_apply as apply

    apply(settings_here(), switch("YES"), console())


@task
@at_the_edge
def cloud_destroy(c: Context) -> None:
    """Remove from the environment's project what cloud-apply made."""
    from esteira.cloud.front import cloud_destroy as destroy

    destroy(settings_here(), switch("YES"), switch("FORCE"), console())


@task
@at_the_edge
def job(c: Context) -> None:
    """Write the job as the environment gets it to build/job.json."""
    from esteira.jobs.targets.front import write_bound_job

    write_bound_job(settings_here(), tell)


@task
@at_the_edge
def rehearse(c: Context) -> None:
    """Deploy to the environment on this machine, against stand-ins for Google Cloud, with faults."""
    from esteira.local.cloud.rehearsal import rehearse as run

    run(local_settings(), variable("ENV") or "dev", variable("FAULT"), os.environ, console())


@task(iterable=["set"], help=SET)
@at_the_edge
def serve(c: Context, set: List[str]) -> None:
    """Serve the current release's model until Ctrl-C."""
    from esteira.serving.front import serve_here

    serve_here(settings_here(set))


@task(help={"text": "What to classify"})
@at_the_edge
def predict(c: Context, text: str = "") -> None:
    """Ask the model that serves about a text, a file, or standard input."""
    from esteira.serving.ask import predict_here

    given = (text or variable("TEXT"), variable("FILE"), variable("FORMAT"))
    predict_here(settings_here(), *given, sys.stdin, sys.stdout, sys.stderr)


@task
@at_the_edge
def smoke_served(c: Context) -> None:
    """Ask what is served now what it said at training, and what it must refuse."""
    from esteira.serving.smoke_here import smoke_here

    smoke_here(settings_here(), variable("FORMAT") or "table", tell)


@task
@at_the_edge
def traffic(c: Context) -> None:
    """Show how the traffic is split, or give RELEASE= a share of PERCENT= of it."""
    from esteira.deploy.front import split_traffic

    split_traffic(settings_here(), variable("RELEASE") or "", variable("PERCENT") or "", console())


@task
@at_the_edge
def views(c: Context) -> None:
    """Make the views over the request log again, and say what a month of them costs to read."""
    from esteira.monitoring.front import views as make_views

    make_views(settings_here(), tell)


@task
@at_the_edge
def requests(c: Context) -> None:
    """Show the latest requests and what was answered."""
    from esteira.monitoring.front import requests as latest

    tell(latest(settings_here(), number("LIMIT", 20), variable("FORMAT") or "table"))


@task
@at_the_edge
def daily(c: Context) -> None:
    """Show what each release answered on each day."""
    from esteira.monitoring.front import daily as summary

    tell(summary(settings_here(), variable("FORMAT") or "table"))


@task
@at_the_edge
def accuracy(c: Context) -> None:
    """Show how often each release was right, of the requests whose truth is known."""
    from esteira.monitoring.front import accuracy as live_accuracy

    tell(live_accuracy(settings_here(), variable("FORMAT") or "table"))


@task
@at_the_edge
def groundtruth(c: Context) -> None:
    """Load from FILE= what requests are in truth."""
    from esteira.monitoring.front import ground_truth

    tell(ground_truth(settings_here(), required_variable("FILE", "make groundtruth FILE=truths.csv")))


@task
@at_the_edge
def load_log(c: Context) -> None:
    """Load logged requests from FILE=, in Vertex AI's form or AI Platform's."""
    from esteira.monitoring.front import load_log as load

    tell(load(settings_here(), required_variable("FILE", "make load-log FILE=requests.jsonl")))


@task
@at_the_edge
def erase(c: Context) -> None:
    """Erase the requests that REQUEST= names from the request log."""
    from esteira.monitoring.front import erase_requests

    request = required_variable("REQUEST", "make erase REQUEST=4611686018427387904")
    erase_requests(settings_here(), request, switch("YES"), console())


@task(iterable=["set"], help=SET)
@at_the_edge
def tune(c: Context, set: List[str]) -> None:
    """Search for hyperparameters and write modules/best_hyperparameters/."""
    from esteira.tune import tune as search

    tell(f"wrote {search(settings_here(set))}")


@task(help={"accept": "Make the proposed schema the curated one"})
@at_the_edge
def schema(c: Context, accept: bool = False) -> None:
    """Infer a schema from the data and show how it differs from the curated one."""
    from esteira.data.review import review_schema

    tell(review_schema(settings_here(), accept or switch("ACCEPT")))


@task(iterable=["set"], help=SET)
@at_the_edge
def images(c: Context, set: List[str]) -> None:
    """Make the builder and the runtime image, and push them where a registry is set."""
    from esteira.images.front import make_images
    from esteira.images.spec import NAMES

    make_images(settings_here(set), NAMES, os.environ, tell)


@task(iterable=["set"], help=SET)
@at_the_edge
def image_runtime(c: Context, set: List[str]) -> None:
    """Make the image that the job's tasks run in."""
    from esteira.images.front import make_images

    make_images(settings_here(set), ["runtime"], os.environ, tell)


@task(iterable=["set"], help=SET)
@at_the_edge
def image_builder(c: Context, set: List[str]) -> None:
    """Make the image that the steps of a build run in."""
    from esteira.images.front import make_images

    make_images(settings_here(set), ["builder"], os.environ, tell)


@task(iterable=["set"], help=SET)
@at_the_edge
def image_verify(c: Context, set: List[str]) -> None:
    """Build both images again from nothing, in other surroundings, and compare."""
    from esteira.images.front import build_again
    from esteira.images.spec import NAMES

    build_again(settings_here(set), NAMES, os.environ, tell)


@task(iterable=["set"], help=SET)
@at_the_edge
def image_load(c: Context, set: List[str]) -> None:
    """Give both images to Docker or Podman."""
    from esteira.images.front import load_images
    from esteira.images.spec import NAMES

    load_images(settings_here(set), NAMES, os.environ, tell)


@task(iterable=["set"], help=SET)
@at_the_edge
def image_check(c: Context, set: List[str]) -> None:
    """Import the pipeline and every executor inside the runtime image."""
    from esteira.images.front import check_runtime

    check_runtime(settings_here(set), os.environ, tell)


@task
@at_the_edge
def pins(c: Context) -> None:
    """Look the bases' tags up in their registries and rewrite docker/bases.toml."""
    from esteira.images.front import rewrite_pins

    tell(rewrite_pins(settings_here(), os.environ))


@task
@at_the_edge
def wheels(c: Context) -> None:
    """Fetch or build the wheels of the lock that are not in the store."""
    from esteira.images.wheels.fill import fill_store

    chosen = settings_here()
    tell(fill_store(chosen.root, chosen.state, os.environ))


@task
@at_the_edge
def wheels_check(c: Context) -> None:
    """Choose and build the wheels of the lock again from nothing, and compare with what is recorded."""
    from esteira.images.wheels.check import check_here

    chosen = settings_here()
    tell(check_here(chosen.root, chosen.state, os.environ))


@task
@at_the_edge
def version(c: Context) -> None:
    """Show the engine's version, or make the one that VERSION= names."""
    from esteira.version.front import show_or_make_version

    show_or_make_version(settings_here().root, variable("VERSION"), tell)


@task
@at_the_edge
def changelog(c: Context) -> None:
    """Show what changes in the engine's next version, or changed in that of VERSION=."""
    from esteira.version.front import changelog as show

    tell(show(settings_here().root, variable("VERSION")))


@task
@at_the_edge
def changelog_check(c: Context) -> None:
    """Fail if the engine differs from BASE= and no fragment in changes/ tells of it."""
    from esteira.version.fragments import check_fragments

    tell(check_fragments(settings_here().root, variable("BASE") or ""))


@task
@at_the_edge
def upgrade(c: Context) -> None:
    """Merge a newer version of the engine: the newest, unless VERSION= names one."""
    from esteira.version.front import upgrade as merge

    merge(settings_here().root, variable("VERSION"), tell)


@task
@at_the_edge
def clean(c: Context) -> None:
    """Remove the state of the environment `local`, and build/."""
    from esteira.local.clean import clean_state

    for path in clean_state(settings_here()):
        tell(f"removed {path}")

"""The index of everything one can do here. `make` lists the same by purpose."""

from pathlib import Path

from invoke import Context, task
from rich.console import Console

from esteira.edge import at_the_edge, origins_here, overrides_here, required_variable, settings_here, switch, variable

# Steps of a build run with their output in a pipe, where rich would guess a width of 80.
console = Console(soft_wrap=True, highlight=False)

SET = {"set": "Override a setting: --set section.key=value"}


@task(iterable=["set"], help=SET)
@at_the_edge
def settings(c: Context, set: "list[str]") -> None:
    """Show every setting in force."""
    from esteira.settings.show import show_settings

    console.print(show_settings(settings_here(set), origins_here(set)), markup=False)


@task(iterable=["set"], help={**SET, "check": "Fail if a committed file is not what its template gives"})
@at_the_edge
def generate(c: Context, set: "list[str]", check: bool = False) -> None:
    """Render cloudbuild/*.yaml from their templates."""
    from esteira.builds.render import check_builds, write_builds

    (check_builds if check else write_builds)(settings_here(set))


@task(iterable=["set"], help={**SET, "csv": "A CSV of your own; else the default data set"})
@at_the_edge
def data(c: Context, set: "list[str]", csv: str = "") -> None:
    """Prepare the data under build/data: a step of the build."""
    from esteira.steps import data_step

    path = csv or variable("DATA")
    console.print(data_step(settings_here(set), Path(path) if path else None), markup=False)


@task
@at_the_edge
def sync(c: Context) -> None:
    """Lay data, modules and hyperparameters down in the bucket: a step of the build."""
    from esteira.steps import sync_step

    sync_step(settings_here())


@task(iterable=["set"], help=SET)
@at_the_edge
def compile(c: Context, set: "list[str]") -> None:
    """Compile the pipeline to build/job.json: a step of the build."""
    from esteira.steps import compile_step

    compile_step(settings_here(set))


@task(help={"commit": "The commit that the source was taken from, with -dirty where it was changed"})
@at_the_edge
def release(c: Context, commit: str = "") -> None:
    """Bind the job to the parts and lay the release down: a step of the build."""
    from esteira.steps import release_step

    console.print(f"release {release_step(settings_here(), commit or variable('COMMIT') or '').id}")


@task(iterable=["set"], help=SET)
@at_the_edge
def run(c: Context, set: "list[str]") -> None:
    """Run the release's job and say whether its model is blessed: a step of the build."""
    from esteira.steps import run_step

    run_step(settings_here(set), console)


@task
@at_the_edge
def smoke(c: Context) -> None:
    """Serve the pushed model and ask it over HTTP: a step of the build."""
    from esteira.steps import smoke_step

    smoke_step(settings_here(), console)


@task
@at_the_edge
def promote(c: Context) -> None:
    """Move `current` to the release that passed: a step of the build."""
    from esteira.steps import promote_step

    console.print(f"current is {promote_step(settings_here()).release}")


@task(iterable=["set"], help=SET)
@at_the_edge
def deploy_full(c: Context, set: "list[str]") -> None:
    """Build, train, evaluate and serve what is here."""
    from esteira.deploy import deploy_full as deploy
    from esteira.deploy import print_summary

    chosen = settings_here(set)
    print_summary(chosen, deploy(chosen, variable("DATA"), overrides_here(set)), console)


@task(iterable=["set"], help=SET)
@at_the_edge
def serve(c: Context, set: "list[str]") -> None:
    """Serve the current release's model until Ctrl-C."""
    from esteira.release.manifest import current_outcome
    from esteira.serving.server import serve as serve_model

    chosen = settings_here(set)
    model, serving = Path(current_outcome(chosen).model), chosen.serving
    serve_model(
        model, name=chosen.pipeline.name, host=serving.host, port=serving.port, max_batch=serving.max_batch
    )


@task(help={"text": "What to classify"})
@at_the_edge
def predict(c: Context, text: str = "") -> None:
    """Ask the current release's model for the label of a text."""
    from esteira.serving.ask import answer_table, ask

    text = text or required_variable("TEXT", 'make predict TEXT="I love this film"')
    console.print(answer_table(ask(settings_here(), [text])))


@task(iterable=["set"], help=SET)
@at_the_edge
def tune(c: Context, set: "list[str]") -> None:
    """Search for hyperparameters and write modules/best_hyperparameters/."""
    from esteira.tune import tune as search

    console.print(f"wrote {search(settings_here(set), variable('DATA'))}")


@task(help={"accept": "Make the proposed schema the curated one"})
@at_the_edge
def schema(c: Context, accept: bool = False) -> None:
    """Infer a schema from the data and show how it differs from the curated one."""
    from esteira.data.review import review_schema

    accept = accept or switch("ACCEPT")
    console.print(review_schema(settings_here(), variable("DATA"), accept), markup=False)


@task
@at_the_edge
def clean(c: Context) -> None:
    """Remove the state of the environment `local`, and build/."""
    from esteira.local.clean import clean_state

    for path in clean_state(settings_here()):
        console.print(f"removed {path}", markup=False)

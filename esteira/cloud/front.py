"""What a person types: plan, apply and remove what an environment needs in its project, and ask what is wrong."""

import time
from typing import Mapping, Optional, Union

from rich.console import Console, RenderableType

from esteira.ask_person import agrees, types_name
from esteira.cloud.apply import apply, refuse_left, refuse_wrong
from esteira.cloud.destroy import destroy, plan_removal, refuse_contents
from esteira.cloud.doctor import examine
from esteira.cloud.federation import provider_name
from esteira.cloud.plan import Plan, make_plan
from esteira.cloud.plan_view import rows_table, show_plan, summary
from esteira.doctor.examine import examine_local
from esteira.doctor.finding import findings_table
from esteira.errors import GoogleError, SettingsError, StateError
from esteira.google.api import Api, Pause
from esteira.google.open import open_api
from esteira.settings import Settings


def cloud_plan(settings: Settings, format: str) -> Union[str, RenderableType]:
    """Return what is missing, different or superfluous in the environment's project, as a table or JSON."""
    require_cloud(settings, "cloud-plan")
    return show_plan(make_plan(settings, open_api(settings)), format)


def cloud_apply(
    settings: Settings, yes: bool, console: Console, *, api: Optional[Api] = None, pause: Pause = time.sleep
) -> None:
    """Show the plan, ask, and make it so. Raises GoogleError for what only a person can do, with what to type."""
    require_cloud(settings, "cloud-apply")
    asked = api or open_api(settings)
    plan = make_plan(settings, asked)
    refuse_wrong(plan)
    if plan.to_do:
        console.print(rows_table([row for row in plan.rows if row.state != "ok"]))
        console.print(summary(plan), markup=False)
        if not yes and not agrees(console, "Do this? [y/N] "):
            again = f"make cloud-apply ENV={settings.selected} YES=1"
            console.print(f"Nothing was changed. To do it: {again}", markup=False)
            return
        apply(settings, asked, plan, lambda text: console.print(text, markup=False), pause)
    else:
        refuse_left(settings, plan)
        console.print(summary(plan), markup=False)
    say_federation(settings, plan, console)


def cloud_destroy(
    settings: Settings,
    yes: bool,
    force: bool,
    console: Console,
    *,
    api: Optional[Api] = None,
    pause: Pause = time.sleep,
) -> None:
    """Name what was made for the environment, ask, and remove it.

    Raises GoogleError, before anything is removed, if data would be lost and `force` is not given.
    """
    require_cloud(settings, "cloud-destroy")
    asked = api or open_api(settings)
    removals = plan_removal(settings, asked)
    if not removals:
        console.print(f"Nothing to remove: nothing in {settings.environment.project} was made for this environment.")
        return
    for name in [name for removal in removals for name in removal.names]:
        console.print(f"- {name}", markup=False)
    refuse_contents(settings, removals, force)
    for removal in removals:
        if removal.contents:
            console.print(f"This is lost: {removal.contents}", markup=False)
    if not yes and not types_name(console, settings.selected):
        again = f"make cloud-destroy ENV={settings.selected} YES=1"
        console.print(f"Nothing was removed. To remove it: {again}", markup=False)
        return
    destroy(asked, removals, lambda text: console.print(text, markup=False), pause)


def say_federation(settings: Settings, plan: Plan, console: Console) -> None:
    """Say what GitHub's workflows have to know: the repository's variables that deploy.yaml reads."""
    place = settings.environment
    if place.github:
        values = {
            "ESTEIRA_ENV": settings.selected,
            "ESTEIRA_WORKLOAD_IDENTITY_PROVIDER": provider_name(plan.enabled.number),
            "ESTEIRA_SERVICE_ACCOUNT": place.builder_email,
        }
        lines = [f"gh variable set {name} --body {value} --repo {place.github}" for name, value in values.items()]
        console.print(
            f"So that a push to {place.github} deploys to {settings.selected}, set these variables there. "
            f"No secret is needed (docs/how-to/github.md):\n  " + "\n  ".join(lines),
            markup=False,
        )


def require_cloud(settings: Settings, command: str) -> None:
    """Raise SettingsError for the environment local, which has no project."""
    if settings.is_local:
        names = ", ".join(sorted(settings.environments)) or "none yet: add [environments.dev] to esteira.toml"
        raise SettingsError(
            f"ENV=local: the environment local is in no project. Expected one of Google Cloud ({names}). "
            f"Run: make {command} ENV=name"
        )


def doctor(settings: Settings, environ: Mapping[str, str], console: Console, *, api: Optional[Api] = None) -> None:
    """Show what a deploy needs and how each thing stands. Raises GoogleError or StateError if one is missing."""
    findings = examine_local(settings, environ) if settings.is_local else examine(settings, api or open_api(settings))
    console.print(findings_table(findings))
    bad = sum(finding.good is False for finding in findings)
    if bad:
        kind = StateError if settings.is_local else GoogleError
        checks = "1 check has" if bad == 1 else f"{bad} checks have"
        raise kind(f"{checks} failed. Mend what the table says, then run: make doctor ENV={settings.selected}")
    console.print(f"Nothing is missing that a deploy to {settings.selected} needs.", markup=False)

"""What a deploy prints at its end."""

from rich.console import Console

from esteira.jobs.verdict import evaluation_table
from esteira.release.manifest import Release, manifest_name
from esteira.settings import Settings


def print_summary(settings: Settings, release: Release, console: Console) -> None:
    """Print what is deployed, its metrics, where things lie and what to type next."""
    outcome = release.outcome
    console.print(f"\n[bold green]Deployed[/] release [bold]{release.id}[/] to {settings.selected}\n")
    if outcome is None:
        return
    console.print(evaluation_table(outcome.evaluation))
    # As text, since a folder's name may hold what looks like markup.
    manifest = f"{settings.bucket}/{manifest_name(release.id)}"
    console.print(f"\nmodel    {outcome.model}\nrelease  {manifest}\nlogs     {outcome.logs}\n", markup=False)
    env = "" if settings.is_local else f" ENV={settings.selected}"
    commands = [f'make predict{env} TEXT="I love this film"', f"make serve{env}", f"make releases{env}"]
    console.print("\n  ".join(["Next:", *commands]), markup=False)

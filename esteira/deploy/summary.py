"""What a deploy prints at its end."""

from typing import List

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
    console.print("\n  ".join(["Next:", *next_commands(settings)]), markup=False)


def next_commands(settings: Settings) -> List[str]:
    """Return what to type next; a model in Google Cloud is served already."""
    text = 'TEXT="I love this film"'
    if settings.is_local:
        return [f"make predict {text}", "make serve", "make releases"]
    return [f"make predict ENV={settings.selected} {text}", f"make releases ENV={settings.selected}"]

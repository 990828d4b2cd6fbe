"""What a person sees of a deploy to Google Cloud: its beginning, how it goes, and what came of it."""

from typing import Mapping

from rich.console import Console

from esteira.deploy.decide import TASKS, Wanted
from esteira.deploy.refused import keeping_refusal
from esteira.deploy.remote import Remote, submit_deploy
from esteira.deploy.submission import Submission
from esteira.errors import BuildError, GoogleError
from esteira.google.open import open_api
from esteira.release.store import open_store
from esteira.settings import Settings

INTERRUPTED = 130


def deploy_remotely(
    settings: Settings, wanted: Wanted, overrides: Mapping[str, str], force: bool, wait: bool, console: Console
) -> None:
    """Submit the deploy that is needed and, with `wait`, follow its build to the end.

    Raises what submitting does, and BuildError, with the failed step's exit code, if the build failed.
    """
    remote = Remote(settings, open_api(settings), open_store(settings), console.print)
    with keeping_refusal(settings, f"make {TASKS[wanted]}"):
        submission = submit_deploy(remote, wanted, overrides=overrides, force=force)
    if submission is None:
        console.print(f"Nothing to deploy: what is here is what is served in {settings.selected}.")
        return
    begun = f"A {submission.kind} deploy to {settings.selected} has begun: build {submission.build}\n{submission.page}"
    console.print(begun, markup=False)
    if wait:
        from esteira.deploy.summary import print_summary
        from esteira.release.history import served_release

        follow(remote, submission)
        print_summary(settings, served_release(remote.store, settings.selected), console)
    else:
        console.print(f"To see how it goes: make status ENV={settings.selected}", markup=False)


def follow(remote: Remote, submission: Submission) -> None:
    """Follow a build to its end; an error unless it succeeded. Ctrl-C ends the watching alone."""
    from esteira.deploy.watch import check_verdict, watch_build
    from esteira.progress import Progress

    settings = remote.settings
    goes_on = (
        f"The build {submission.build} goes on in Google Cloud.\n"
        f"To see how it goes: make status ENV={settings.selected}    To end it: make cancel ENV={settings.selected}"
    )
    try:
        with Progress([]) as report:
            build = watch_build(settings, remote.api, submission.build, report)
    except GoogleError as error:
        raise GoogleError(f"{error}\n{goes_on}") from None
    except KeyboardInterrupt:
        interrupted = BuildError(goes_on)
        interrupted.exit_code = INTERRUPTED
        raise interrupted from None
    check_verdict(settings, build)

"""`make smoke`: the smoke test by hand, of what the chosen environment serves now; and as a step of a deploy."""

from pathlib import Path
from typing import Callable, Union

from rich.console import RenderableType

from esteira.formats import check_format
from esteira.release.history import served_release
from esteira.release.manifest import Release
from esteira.release.places import placed_model
from esteira.release.served import served_model
from esteira.release.store import Store, open_store
from esteira.serving.answer_log import LogRule
from esteira.serving.answers_as import serving_identity
from esteira.serving.check_known import known_texts
from esteira.serving.client import RETRY_S, Client
from esteira.serving.endpoint_view import read_rule
from esteira.serving.identity import checked_identity, endpoint_here
from esteira.serving.limits import limits_of
from esteira.serving.opened import server_url, serves
from esteira.serving.probe import ServerProbe
from esteira.serving.saved_model import model_version
from esteira.serving.smoke import (
    SmokeError,
    SmokeResult,
    check_row,
    check_served,
    require_passed,
    smoke_test,
    subject_of,
)
from esteira.serving.smoke_view import smoke_json, smoke_table
from esteira.settings import Settings
from esteira.vertex.names import serving_id

# The server then keeps what is asked apart: it is no one's.
CHECKING = {"x-esteira-check": "1"}


def smoke_here(settings: Settings, format: str, tell: Callable[[Union[str, RenderableType]], None]) -> None:
    """Ask what the environment serves now, and show each check.

    Raises SmokeError if one failed, StateError if nothing is deployed, ServingError or GoogleError if nobody answers.
    """
    check_format(format, "make smoke")
    show = smoke_json if format == "json" else smoke_table
    try:
        result = smoke_served(settings, tell if format == "table" else lambda line: None)
    except SmokeError as error:
        tell(show(error.result))
        raise
    tell(show(result))


def smoke_served(settings: Settings, say: Callable[[str], None]) -> SmokeResult:
    """Return the checks of what serves the current release: of the server on the port, else of one of its own."""
    store = open_store(settings)
    release = served_release(store, settings.selected)
    if not settings.is_local:
        from esteira.vertex.smoke import smoke_current

        return smoke_current(settings, store, release)
    model, url = served_model(settings), server_url(settings)
    version, name = model_version(model), settings.pipeline.name
    if not serves(url, name, version):
        say(f"No server at {url} serves release {release.id}: one is started for the test.")
        return smoke_deployed(settings, store, release)
    say(f"Asking the server at {url}, which serves release {release.id}. Its views leave these requests out.")
    subject = subject_of(model, settings, known_texts(settings, store, release))
    limits = limits_of(settings.serving)
    with Client(url, timeout_s=limits.timeout_s, retry_s=RETRY_S, headers=CHECKING) as client:
        probe = ServerProbe(client, name, version)
        checks = check_served(probe, version, subject, limits.max_body_bytes)
        identity = checked_identity(serving_identity(settings, release, version))
        rule = log_rule(settings, client)
        # Of requests that are drawn at random nobody knows which is in the log.
        if rule.percent in (0, 100) and all(check.passed for check in checks):
            checks.append(check_row(settings, rule, probe, identity, version, subject.recorded))
    return require_passed(f"{url}, release {release.id}", SmokeResult(tuple(checks)))


def log_rule(settings: Settings, client: Client) -> LogRule:
    """Return by what rule the server keeps requests: it may have been started with other settings than these."""
    answer = client.ask("GET", f"/v1/{endpoint_here(serving_id(settings))}")
    told = read_rule(answer.body) if answer.status == 200 and isinstance(answer.body, dict) else None
    return told or LogRule(settings.log.percent, settings.log.text)


def smoke_deployed(settings: Settings, store: Store, release: Release) -> SmokeResult:
    """Serve a release's model on this machine and return the checks; that its request log took a row is one of them.

    Raises SmokeError that lists each failed check, ServingError if it cannot be served.
    """
    model = Path(placed_model(store, release.outcome.model if release.outcome else ""))
    return smoke_test(model, settings=settings, release=release, known=known_texts(settings, store, release))

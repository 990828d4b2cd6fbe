"""`make lineage`: what was asked for, as text with a picture beside it, or as JSON."""

from dataclasses import asdict
from typing import Optional

from rich.console import Group, RenderableType

from esteira.errors import SettingsError, StateError
from esteira.formats import check_format
from esteira.release.lineage.picture import picture_path, write_picture
from esteira.release.lineage.readers import part_uses
from esteira.release.lineage.text import lineage_text, uses_text
from esteira.release.lineage.trace import lineage_of
from esteira.release.lineage.values import Lineage
from esteira.release.manifest import json_text
from esteira.release.store import open_store
from esteira.settings import Settings


def show_lineage(
    settings: Settings, release: Optional[str], model: Optional[str], part: Optional[str], format: Optional[str]
) -> RenderableType:
    """Return the lineage of one release, model or part, of the current release if none is named.

    As text, that of a release or a model is drawn too, and the text says where the picture is.
    Raises SettingsError for variables that do not go together, StateError for what is not there.
    """
    check_one_of(RELEASE=release, MODEL=model, PART=part)
    check_format(format or "table", "make lineage")
    store = open_store(settings)
    if part:
        uses = part_uses(settings, store, part)
        return json_text([asdict(use) for use in uses]).rstrip() if format == "json" else uses_text(uses)
    lineage = lineage_of(settings, store, release=release or "", model=model or "")
    if format == "json":
        return json_text(asdict(lineage)).rstrip()
    return Group(lineage_text(lineage), "", picture_line(settings, lineage))


def picture_line(settings: Settings, lineage: Lineage) -> str:
    """Draw a lineage, and return where its picture is, or why there is none: the text is worth having without it."""
    try:
        return f"picture  {write_picture(lineage, picture_path(settings, lineage))}"
    except (OSError, StateError) as error:
        return f"picture  none: {error}"


def check_one_of(**asked: Optional[str]) -> None:
    given = [name for name, value in asked.items() if value]
    if len(given) > 1:
        raise SettingsError(f"{' and '.join(given)}: make lineage takes one of {', '.join(asked)}. Give one of them.")

"""Making what a plan says: in order, again where Google does not know yet what was just made."""

import time
from typing import Callable, List

from esteira.cloud.part import Part
from esteira.cloud.plan import Plan, make_plan
from esteira.cloud.row import Row
from esteira.errors import GoogleError
from esteira.google.api import Api, Pause
from esteira.google.refusals import NotFoundError
from esteira.settings import Settings

# A new account, or an API that was just enabled, may be unknown for a minute or two.
# https://cloud.google.com/iam/docs/access-change-propagation
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
MADE = {"missing": "made", "different": "changed", "superfluous": "removed"}


def apply(settings: Settings, api: Api, plan: Plan, say: Callable[[str], None], pause: Pause = time.sleep) -> None:
    """Make everything as it should be. It may be interrupted at any time, and run again.

    Raises GoogleError, before anything is changed, where a setting has to be another one; at the end
    for what is left to a person, with what to type.
    """
    refuse_wrong(plan)
    for seen in plan.seen:
        if seen.is_to_make:
            patiently(seen.part, api, say, pause)
            for row in seen.rows:
                if row.state != "ok" and not row.remedy:
                    say(f"{MADE[row.state]} {row.kind} {row.name}")
    refuse_left(settings, make_plan(settings, api))


def patiently(part: Part, api: Api, say: Callable[[str], None], pause: Pause) -> None:
    """Make a part, again and again while Google does not know yet what it needs."""
    for pause_s in PAUSES_S:
        try:
            return part.make(api, pause)
        except GoogleError as error:
            if not is_too_early(error):
                raise
            reason = str(error).splitlines()[0]
        say(f"waiting for Google to know what was just made: {reason}")
        pause(pause_s)
    part.make(api, pause)


def is_too_early(error: GoogleError) -> bool:
    """Return whether what was just made, or enabled, is not known everywhere yet."""
    if isinstance(error, NotFoundError) or error.reason == "SERVICE_DISABLED":
        return True
    return error.status == 400 and "does not exist" in str(error)


def refuse_wrong(plan: Plan) -> None:
    """Raise GoogleError for what cannot be changed where it is."""
    if plan.wrong:
        raise GoogleError("Nothing was changed. " + told(plan.wrong))


def refuse_left(settings: Settings, plan: Plan) -> None:
    """Raise GoogleError for what is still to be done."""
    undone = [row for row in plan.to_do if row.state != "superfluous"]
    if not undone and not plan.left:
        return
    again = f"make cloud-apply ENV={settings.selected}"
    waiting = f"\nGoogle does not show yet: {', '.join(row.name for row in undone)}. Run: {again}" if undone else ""
    raise GoogleError((f"Left for you:\n{told(plan.left)}\nThen run: {again}" if plan.left else "") + waiting)


def told(rows: List[Row]) -> str:
    lines = []
    for row in rows:
        said = f": {row.detail}" if row.detail else f": {row.state}"
        lines.append(f"{row.kind} {row.name}{said}\n{row.remedy}")
    return "\n".join(lines)

"""A line of a plan: one thing that must exist, and how it stands."""

from dataclasses import dataclass
from typing import Dict

from typing_extensions import Literal

State = Literal["missing", "different", "superfluous", "ok"]


@dataclass(frozen=True)
class Row:
    """How one thing stands.

    `detail` says what differs, as "field: is X, wanted Y". `remedy` is what a person has to do where
    `make cloud-apply` cannot; it is empty where it can.
    """

    state: State
    kind: str
    name: str
    detail: str = ""
    why: str = ""
    remedy: str = ""

    def as_json(self) -> Dict[str, str]:
        return {key: value for key, value in vars(self).items() if value}

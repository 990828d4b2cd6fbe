"""What a deploy hands to the steps of its build: the decision, made once where git is."""

from typing import Dict, Optional, Sequence

from pydantic import ValidationError
from typing_extensions import Literal

from esteira.errors import BuildError
from esteira.release.history import load_release
from esteira.release.manifest import Frozen, Part, Release, identified
from esteira.release.places import lack, placed_part
from esteira.release.store.interface import Store
from esteira.release.store.parallel import in_parallel
from esteira.settings import Settings


class Order(Frozen):
    """A deploy that was decided on.

    `parts` maps each part to the digest of what it is made of; `generation` is that of the pointer
    `current` when the deploy began; `csv` the digest of the user's CSV, `patch` that of
    what differs from the commit; `url` is the repository's address, "" where it has none on the
    net; `force` makes every part anew; `lease` names the lease that the deploy holds.
    """

    kind: Literal["full", "partial"]
    reason: str
    by: str
    at: str
    parent: Optional[str]
    generation: int
    commit: str
    dirty: bool
    url: str = ""
    parts: Dict[str, str]
    csv: str = ""
    patch: str = ""
    force: bool = False
    lease: str = ""


def read_order(text: str) -> Order:
    """Return the order that a step got as ESTEIRA_PLAN; BuildError if it is none."""
    try:
        return Order.parse_raw(text)
    except ValidationError as error:
        raise BuildError(
            f"ESTEIRA_PLAN: is no plan that this version can read: {error}\nRun the build by: make deploy"
        ) from None


def patch_name(digest: str) -> str:
    """Return where a patch waits for the release that it belongs to, whose id follows from what is built."""
    return f"patches/{digest.partition(':')[2]}.patch"


def parent_parts(store: Store, order: Order, names: Sequence[str]) -> Dict[str, Part]:
    """Return those of some parts that need not be made again, as the current release has them."""
    if order.parent is None or order.force:
        return {}
    parts = load_release(store, order.parent).parts
    same = [name for name in names if name in parts and parts[name].digest == order.parts.get(name)]
    lacks = in_parallel(lambda name: lack(store, name, parts[name]), same)
    return {name: placed_part(store, name, parts[name]) for name, missing in zip(same, lacks) if not missing}


def make_release(settings: Settings, order: Order, parts: Dict[str, Part], build: str = "") -> Release:
    """Return the release that an order and its parts come to, made by the build with this id."""
    return identified(
        Release(
            id="",
            pipeline=settings.pipeline.name,
            commit=order.commit,
            dirty=order.dirty,
            kind=order.kind,
            parent=order.parent,
            parts=parts,
            reason=order.reason,
            by=order.by,
            at=order.at,
            build=build,
        )
    )

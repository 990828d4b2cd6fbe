"""`make schema`: the data's own schema beside the curated one, for a person to decide."""

from pathlib import Path

from esteira.data.prepare import CURATED_SCHEMA, prepare_data
from esteira.data.schema import accept_schema, infer_schema
from esteira.data.user_csv import find_csv
from esteira.settings import Settings

PROPOSAL = Path("build/schema.pbtxt")


def review_schema(settings: Settings, accept: bool) -> str:
    """Propose a schema for the data, or take the last proposal; return what a person should read.

    Raises DataError for data or a schema that cannot be used.
    """
    proposal, curated = settings.root / PROPOSAL, settings.root / CURATED_SCHEMA
    if accept:
        accept_schema(proposal, curated)
        return f"{CURATED_SCHEMA} is now what {PROPOSAL} proposed. See: git diff {CURATED_SCHEMA}"
    data = settings.root / "build" / "data"
    prepare_data(settings, data, find_csv(settings))
    difference = infer_schema(data, proposal, curated)
    if not difference:
        return f"The data fits {CURATED_SCHEMA} as it is."
    return f"{difference}\nEdit {PROPOSAL} if need be, then take it: make schema ACCEPT=1"

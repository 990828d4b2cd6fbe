"""A CSV of the user's own on its way to a build: where the source does not hold it, the bucket does."""

from pathlib import Path

from esteira.data.user_csv import find_csv
from esteira.errors import DataError
from esteira.files import write_bytes
from esteira.git import git
from esteira.release.digest import digest_bytes, digest_file
from esteira.release.order import Order
from esteira.release.store import Store
from esteira.settings import Settings
from esteira.source import Source

# Where a build's step finds it, relative to the workspace.
PLACE = "build/data.csv"
FILE = "data.csv"


def travels(settings: Settings, source: Source) -> bool:
    """Return whether the build cannot find the CSV in the source: it is no file of it, or has other content there."""
    csv = find_csv(settings)
    if csv is None:
        return False
    entry = source.files.get(settings.data.file, "")
    return not entry or git(source.root, "hash-object", "--no-filters", "--", str(csv)).strip() not in entry


def lay_csv(settings: Settings, store: Store, order: Order) -> None:
    """Lay the CSV down under its digest, unless it is there; DataError if it is not the one that was planned with."""
    csv = find_csv(settings)
    if csv is None:
        return
    if digest_file(csv) != order.csv:
        raise changed_error(csv)
    store.lay_down(csv_prefix(order), [(FILE, csv)])


def changed_error(csv: Path) -> DataError:
    return DataError(f"{csv}: was changed after the deploy began. Run the command again.")


def fetch_csv(settings: Settings, store: Store, order: Order) -> None:
    """Put the CSV that was laid down into the workspace; DataError if it is lost."""
    path = Path(settings.root / PLACE)
    if settings.data.file != PLACE or path.is_file():
        return
    stored = store.read(f"{csv_prefix(order)}/{FILE}")
    if stored is None or digest_bytes(stored.content) != order.csv:
        raise DataError(f"{store.uri}/{csv_prefix(order)}/{FILE}: is lost or damaged. Run the deploy again.")
    write_bytes(path, stored.content)


def csv_prefix(order: Order) -> str:
    return f"sources/csv/{order.csv.partition(':')[2]}"

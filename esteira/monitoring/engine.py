"""What the request log lies in: BigQuery, or DuckDB on one machine. Both take BigQuery's SQL."""

from typing import Any, Dict, Iterable, List, Mapping, Optional, Union

from typing_extensions import Protocol

from esteira.errors import WarehouseError

# Of a query's parameters, by name: a text, a whole number, or a list of either.
Parameter = Union[str, int, List[str], List[int]]
Parameters = Mapping[str, Parameter]
Row = Dict[str, Any]


class RecentRowsError(WarehouseError):
    """Rows that BigQuery cannot change yet, as they were streamed of late."""


class Engine(Protocol):
    """`dataset` is what table names begin with: project.dataset, or the dataset alone on one machine."""

    dataset: str

    def query(self, what: str, sql: str, parameters: Optional[Parameters] = None) -> List[Row]:
        """Run one statement to its end and return its rows, none for one that gives none.

        Values are as Python has them: int, float, str, bool, datetime with a time zone, decimal.Decimal, list, None.
        Raises WarehouseError that says what was to be done, and the engine's own message; RecentRowsError where the
        statement is right, and has to wait.
        """

    def columns(self, table: str) -> List[str]:
        """Return the names of a table's columns, none if there is no such table."""

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Append rows, given as JSON has them, and return how many. All are written, or none. Raises WarehouseError."""

    def scanned_bytes(self, sql: str, parameters: Optional[Parameters] = None) -> Optional[int]:
        """Return how many bytes a query would scan and be charged for; None where nothing is charged."""

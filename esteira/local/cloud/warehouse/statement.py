"""A statement of BigQuery's SQL, as the stand-in reads it before it is translated and run."""

from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from esteira.errors import WarehouseError
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.warehouse.values import Json

READS = ("SELECT",)


class Statement(NamedTuple):
    """What a statement is: `kind` as BigQuery names it, `tables` that it reads or writes as dataset.table.

    `target` is the view that it makes or drops, `view` that view's query; `columns` are all that it names, None
    where a star stands.
    """

    kind: str
    sql: str
    tables: List[str]
    columns: Optional[Set[str]]
    target: str = ""
    view: str = ""
    replaces: bool = False


def read_statement(sql: str, project: str) -> Statement:
    """Return the one statement of a text. Refused for a wrong one, in BigQuery's words and with the place."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        trees = [tree for tree in sqlglot.parse(sql, read="bigquery") if tree is not None]
    except SqlglotError as error:
        raise Refused(400, syntax_error(error), reason="invalidQuery") from None
    if len(trees) != 1:
        raise Refused(501, f"the stand-in runs one statement at a time, got {len(trees)}")
    tree: Any = trees[0]
    known = {cte.alias for cte in tree.find_all(exp.CTE)}
    named = [table_name(table, project) for table in tree.find_all(exp.Table) if table.db or table.name not in known]
    columns = None if tree.find(exp.Star) else {column.name for column in tree.find_all(exp.Column)}
    kind = kind_of(tree)
    target = named[0] if kind in ("CREATE_VIEW", "DROP_VIEW") else ""
    view = tree.expression.sql(dialect="bigquery") if kind == "CREATE_VIEW" else ""
    tables = [name for name in dict.fromkeys(named) if name != target]
    return Statement(kind, sql, tables, columns, target, view, bool(tree.args.get("replace")))


def kind_of(tree: Any) -> str:
    """Return BigQuery's name of a statement's kind; Refused for one that is not known here.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2 (statementType)
    """
    from sqlglot import exp

    kinds: Dict[Any, str] = {
        exp.Insert: "INSERT",
        exp.Update: "UPDATE",
        exp.Delete: "DELETE",
        exp.Merge: "MERGE",
    }
    if isinstance(tree, exp.Query):
        return "SELECT"
    if isinstance(tree, (exp.Create, exp.Drop)) and tree.args.get("kind") == "VIEW":
        return "CREATE_VIEW" if isinstance(tree, exp.Create) else "DROP_VIEW"
    found = next((name for kind, name in kinds.items() if isinstance(tree, kind)), "")
    if not found:
        raise Refused(501, f"the stand-in runs no {type(tree).__name__.upper()}")
    return found


def change_of(statement: Statement) -> Tuple[str, str]:
    """Return the table that an UPDATE or a DELETE changes, and which of its rows, in DuckDB's SQL; a MERGE: all."""
    import sqlglot

    tree: Any = sqlglot.parse_one(translated(statement), read="duckdb")
    where = tree.args.get("where")
    return tree.this.sql(dialect="duckdb"), where.this.sql(dialect="duckdb") if where else "TRUE"


def table_name(table: Any, project: str) -> str:
    """Return a table as dataset.table. Refused for one of another project, or without its dataset."""
    if not table.db:
        message = f'Table "{table.name}" must be qualified with a dataset (e.g. dataset.table).'
        raise Refused(400, message, reason="invalid")
    if table.catalog not in ("", project):
        place = f"{table.catalog}:{table.db}.{table.name}"
        raise Refused(403, f"Access Denied: Table {place}: User does not have permission")
    return f"{table.db}.{table.name}"


def syntax_error(error: Any) -> str:
    found: List[Json] = getattr(error, "errors", None) or [{}]
    first = found[0]
    place = f" at [{first['line']}:{first['col']}]" if "line" in first else ""
    return f"Syntax error: {first.get('description') or str(error).partition(chr(10))[0]}{place}"


def translated(statement: Statement) -> str:
    """Return a statement in DuckDB's SQL. Refused for one that no sure translation is known of."""
    from esteira.monitoring.translate.statement import translate

    try:
        return translate(statement.sql)
    except WarehouseError as error:
        raise Refused(501, f"the stand-in cannot run this: {error}") from None

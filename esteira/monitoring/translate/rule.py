"""What the rules of the translation to DuckDB's SQL are made of."""

from typing import Callable

import sqlglot
from sqlglot import exp

from esteira.errors import WarehouseError

# Takes a node whose children are translated, and returns what stands in its place, or the node itself.
Rule = Callable[[exp.Expression], exp.Expression]

# Marks what is DuckDB's already.
MADE = "made"


def refuse(node: exp.Expression) -> WarehouseError:
    return WarehouseError(
        f"{node.sql(dialect='bigquery')}: no translation to DuckDB's SQL is known of this.\n"
        "Expected what the files in sql/ use. Write it with those functions, or run it in BigQuery."
    )


def call(name: str, *arguments: exp.Expression) -> exp.Expression:
    """Return a call of one of DuckDB's functions. Its arguments are copies: a node has one parent."""
    made = exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])
    made.meta[MADE] = True
    return made


def when(condition: exp.Expression, value: exp.Expression) -> exp.Expression:
    """Return the value where the condition holds, null elsewhere."""
    return exp.Case(ifs=[exp.If(this=condition.copy(), true=value.copy())])


def cast(value: exp.Expression, kind: str) -> exp.Expression:
    return exp.Cast(this=value.copy(), to=exp.DataType.build(kind, dialect="duckdb"))


def try_cast(value: exp.Expression, kind: str) -> exp.Expression:
    return exp.TryCast(this=value.copy(), to=exp.DataType.build(kind, dialect="duckdb"))


def text(value: str) -> exp.Expression:
    return exp.Literal.string(value)


def number(value: int) -> exp.Expression:
    return exp.Literal.number(value)


def function(names: str, body: str) -> exp.Expression:
    """Return a lambda of these names, as functions of lists take it, with a body in DuckDB's SQL."""
    made = sqlglot.parse_one(body, dialect="duckdb")
    return exp.Lambda(this=made, expressions=[exp.to_identifier(name) for name in names.split()])

"""BigQuery's SQL as DuckDB's.

The statement is read into a tree (sqlglot), and what DuckDB knows otherwise is rewritten: each function that reads JSON
by one that never raises on a bad document, arrays' subqueries by functions of lists, and UNNEST WITH OFFSET by an
unnest that DuckDB runs without a join. What stands in no list here is refused: another result would be worse than none.
"""

from typing import Dict

import sqlglot
from sqlglot import exp

from esteira.errors import WarehouseError
from esteira.monitoring.translate import json_values, lists, scalars
from esteira.monitoring.translate.rule import Rule, refuse
from esteira.monitoring.translate.unnest import unnest_joins

# What means the same in both, or what sqlglot writes right.
SAME = (
    *(exp.Add, exp.Alias, exp.And, exp.Array, exp.ArrayAgg, exp.Avg, exp.Boolean, exp.CTE, exp.Case, exp.Cast),
    *(exp.Coalesce, exp.Column, exp.Count, exp.Create, exp.CurrentTimestamp, exp.DataType, exp.Distinct, exp.EQ),
    *(exp.From, exp.GT, exp.GTE, exp.Group, exp.Having, exp.Identifier, exp.If, exp.In, exp.Interval, exp.Is, exp.Join),
    *(exp.Kwarg, exp.LT, exp.LTE, exp.Limit, exp.Literal, exp.Max, exp.Min, exp.Mul, exp.NEQ, exp.Neg, exp.Not),
    *(exp.Null, exp.Or, exp.Order, exp.Ordered, exp.Paren, exp.Parameter, exp.PartitionedByProperty, exp.Qualify),
    *(exp.RowNumber, exp.SafeDivide, exp.Select, exp.Star, exp.StrPosition, exp.Sub, exp.Subquery, exp.Sum, exp.Table),
    *(exp.Delete, exp.TableAlias, exp.Tuple, exp.Union, exp.Unnest, exp.Var, exp.Where, exp.Window, exp.With),
    *(exp.Drop, exp.Insert, exp.Schema, exp.Update, exp.Values),
    *(exp.Between, exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey, exp.JSONPathSubscript),
)
RULES: Dict[type, Rule] = {**scalars.RULES, **json_values.RULES, **lists.RULES}


def translate(sql: str) -> str:
    """Return a statement of BigQuery's SQL as DuckDB's, which gives the same rows.

    Parameters are $name then. Raises WarehouseError for what is no SQL, for several statements, and for what no
    translation is known of.
    """
    tree = parse(sql)
    check_known(tree)
    unnest_joins(tree)
    json_values.compare_types(tree)
    # From the leaves up, so that what a rule puts around a node is not translated again.
    for node in reversed(list(tree.walk(bfs=True))):
        rule_of = RULES.get(type(node))
        if rule_of is not None:
            replace(node, rule_of(node))
    return str(tree.sql(dialect="duckdb", comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE))


def parse(sql: str) -> exp.Expression:
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect="bigquery") if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        raise WarehouseError(f"this is no SQL of BigQuery's: {error}\n{sql}") from None
    if len(trees) != 1:
        raise WarehouseError(f"{len(trees)} statements; expected one:\n{sql}")
    return trees[0]


def check_known(tree: exp.Expression) -> None:
    for node in tree.walk():
        if type(node) not in RULES and not isinstance(node, SAME):
            raise refuse(node)


def replace(node: exp.Expression, by: exp.Expression) -> None:
    if by is not node:
        node.replace(by)

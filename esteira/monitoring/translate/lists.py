"""BigQuery's arrays as DuckDB's lists."""

from typing import Dict, List, Optional, Tuple

from sqlglot import exp

from esteira.monitoring.translate import json_values
from esteira.monitoring.translate.rule import Rule, call, number, refuse, when


def element(node: exp.Expression) -> exp.Expression:
    """a[SAFE_OFFSET(i)] or a[SAFE_ORDINAL(i)]: DuckDB counts from 1, and from the end where a number is below."""
    base = node.args.get("offset")
    if base not in (0, 1) or not node.args.get("safe") or len(node.expressions) != 1:
        raise refuse(node)
    place = exp.Paren(this=node.expressions[0].copy())
    shifted = place if base == 1 else exp.Add(this=place, expression=number(1))
    return when(exp.GTE(this=place, expression=number(base)), call("list_extract", node.this, shifted))


def length(node: exp.Expression) -> exp.Expression:
    return call("len", node.this)


def contains(node: exp.Expression) -> exp.Expression:
    """x IN UNNEST(a): false in no array; null where it is not found beside a null."""
    unnest = node.args.get("unnest")
    if unnest is None:
        return node
    (values,) = unnest.expressions
    return exp.Case(
        ifs=[
            exp.If(
                this=exp.EQ(this=exp.Coalesce(this=call("len", values), expressions=[number(0)]), expression=number(0)),
                true=exp.false(),
            ),
            exp.If(this=exp.Is(this=node.this.copy(), expression=exp.Null()), true=exp.Null()),
            exp.If(this=call("list_contains", values, node.this), true=exp.true()),
            exp.If(this=exp.LT(this=call("list_count", values), expression=call("len", values)), true=exp.Null()),
        ],
        default=exp.false(),
    )


def subquery_array(node: exp.Expression) -> exp.Expression:
    """ARRAY(SELECT f(x) FROM UNNEST(a) AS x WITH OFFSET AS i ORDER BY i)."""
    if len(node.expressions) != 1 or not isinstance(node.expressions[0], exp.Select):
        return node
    select = node.expressions[0]
    values, name, place = unnested(select)
    order = [ordered.this for ordered in select.args["order"].expressions] if select.args.get("order") else []
    is_ordered = len(order) == 1 and place is not None and order[0] == exp.column(place)
    # A lambda knows its element alone.
    needs_place = place is not None and exp.column(place) in select.expressions[0].find_all(exp.Column)
    if (
        not is_ordered
        or needs_place
        or len(select.expressions) != 1
        or set(used(select)) - {"expressions", "from", "order"}
    ):
        raise refuse(node)
    body = select.expressions[0].unalias()
    if body == json_values.safe_float(exp.Anonymous(this="FLOAT64", expressions=[exp.column(name)])):
        mapped = json_values.safe_floats(values)
    else:
        mapped = call("list_transform", values, function_of(name, body))
    return exp.Coalesce(this=mapped, expressions=[exp.Array(expressions=[])])


def scalar_subquery(node: exp.Expression) -> exp.Expression:
    """The largest element, its place, or how many elements are such, of one array."""
    select = node.this
    if not isinstance(select, exp.Select) or not isinstance(select.args["from"].this, exp.Unnest):
        return node
    values, name, place = unnested(select)
    wanted = select.expressions[0]
    clauses = set(used(select))
    if clauses == {"expressions", "from"} and wanted == exp.Max(this=exp.column(name)):
        return call("list_max", values)
    if clauses == {"expressions", "from"} and isinstance(wanted, exp.Filter) and isinstance(wanted.this, exp.Count):
        # COUNTIF, which is translated by now.
        condition = wanted.expression.this
        if condition == exp.Is(this=exp.column(name), expression=exp.Null()):
            nulls = exp.Sub(this=call("len", values), expression=call("list_count", values))
            return exp.Coalesce(this=nulls, expressions=[number(0)])
        kept = call("list_filter", values, function_of(name, condition))
        return exp.Coalesce(this=call("len", kept), expressions=[number(0)])
    if clauses == {"expressions", "from", "order", "limit"} and place and wanted == exp.column(place):
        first = [(ordered.this, bool(ordered.args.get("desc"))) for ordered in select.args["order"].expressions]
        if first == [(exp.column(name), True), (exp.column(place), False)] and select.args[
            "limit"
        ].expression == number(1):
            return exp.Sub(this=call("list_position", values, call("list_max", values)), expression=number(1))
    raise refuse(node)


def unnested(select: exp.Expression) -> Tuple[exp.Expression, str, Optional[str]]:
    """Return the array that a subquery is over, and the names of its element and of its place."""
    unnest = select.args["from"].this
    if not isinstance(unnest, exp.Unnest) or len(unnest.expressions) != 1 or not select.expressions:
        raise refuse(select)
    alias, offset = unnest.args.get("alias"), unnest.args.get("offset")
    if alias is None or len(alias.columns) != 1:
        raise refuse(select)
    return unnest.expressions[0], alias.columns[0].name, offset.name if offset is not None else None


def used(select: exp.Expression) -> List[str]:
    return [key for key, value in select.args.items() if value]


def function_of(name: str, body: exp.Expression) -> exp.Expression:
    return exp.Lambda(this=body.copy(), expressions=[exp.to_identifier(name)])


def aggregate_without_nulls(node: exp.Expression) -> exp.Expression:
    """ARRAY_AGG(x IGNORE NULLS ORDER BY y)."""
    aggregate = node.this
    if not isinstance(aggregate, exp.ArrayAgg):
        raise refuse(node)
    collected = aggregate.this.this if isinstance(aggregate.this, exp.Order) else aggregate.this
    is_there = exp.not_(exp.Is(this=collected.copy(), expression=exp.Null()))
    return exp.Filter(this=aggregate.copy(), expression=exp.Where(this=is_there))


RULES: Dict[type, Rule] = {
    exp.Bracket: element,
    exp.ArraySize: length,
    exp.In: contains,
    exp.Array: subquery_array,
    exp.Subquery: scalar_subquery,
    exp.IgnoreNulls: aggregate_without_nulls,
}

"""BigQuery's names, numbers, texts and times in DuckDB."""

from typing import Dict

from sqlglot import exp

from esteira.monitoring.translate.rule import Rule, call, cast, number, refuse, text, when

# https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types
NUMERIC = "DECIMAL(38, 9)"
SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}
TYPES = {
    "TEXT": "TEXT",
    "BIGINT": "BIGINT",
    "DOUBLE": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "DECIMAL": NUMERIC,
    # BigQuery's TIMESTAMP.
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
}
# What SAFE_CAST takes for a number: DuckDB takes 1_000, too.
FLOAT_TEXT = r"(?i)\s*[+-]?(\d+\.?\d*(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|inf|infinity|nan)\s*"


def table(node: exp.Expression) -> exp.Expression:
    """On one machine there is one project."""
    if node.args.get("catalog"):
        node.set("catalog", None)
    return node


def safe_cast(node: exp.Expression) -> exp.Expression:
    if node.args["to"].this != exp.DataType.Type.DOUBLE:
        raise refuse(node)
    is_number = call("regexp_full_match", cast(node.this, "TEXT"), text(FLOAT_TEXT))
    return when(is_number, exp.TryCast(this=node.this.copy(), to=exp.DataType.build("DOUBLE")))


def data_type(node: exp.Expression) -> exp.Expression:
    if node.this == exp.DataType.Type.ARRAY and len(node.expressions) == 1:
        return node
    kind = TYPES.get(node.this.name)
    if kind is None or node.expressions:
        raise refuse(node)
    return exp.DataType.build(kind, dialect="duckdb")


def date(node: exp.Expression) -> exp.Expression:
    """DATE(timestamp), in UTC whatever the session's time zone is."""
    if set(key for key, value in node.args.items() if value) != {"this"}:
        raise refuse(node)
    return cast(exp.AtTimeZone(this=node.this.copy(), zone=text("UTC")), "DATE")


def current_date(node: exp.Expression) -> exp.Expression:
    if node.this:
        raise refuse(node)
    return cast(exp.AtTimeZone(this=exp.CurrentTimestamp(), zone=text("UTC")), "DATE")


def timestamp_sub(node: exp.Expression) -> exp.Expression:
    """A day is 24 hours, whatever the clocks do."""
    unit = node.args["unit"].name.upper() if node.args.get("unit") else "DAY"
    if unit not in SECONDS:
        raise refuse(node)
    span = exp.Mul(this=exp.Paren(this=cast(node.expression, "BIGINT")), expression=number(SECONDS[unit]))
    return exp.Paren(this=exp.Sub(this=node.this.copy(), expression=call("to_seconds", span)))


def timestamp_trunc(node: exp.Expression) -> exp.Expression:
    """TIMESTAMP_TRUNC(timestamp, DAY): days are UTC's."""
    if node.args["unit"].name.upper() != "DAY" or node.args.get("zone"):
        raise refuse(node)
    local = exp.AtTimeZone(this=node.this.copy(), zone=text("UTC"))
    return exp.AtTimeZone(this=call("date_trunc", text("day"), local), zone=text("UTC"))


def date_sub(node: exp.Expression) -> exp.Expression:
    unit = node.args["unit"].name.upper() if node.args.get("unit") else "DAY"
    if unit != "DAY":
        raise refuse(node)
    return exp.Paren(this=exp.Sub(this=node.this.copy(), expression=cast(node.expression, "INTEGER")))


def concat(node: exp.Expression) -> exp.Expression:
    """Null if a part is; DuckDB's own leaves it out."""
    joined: exp.Expression = exp.Paren(this=node.expressions[0].copy())
    for part in node.expressions[1:]:
        joined = exp.DPipe(this=joined, expression=exp.Paren(this=part.copy()))
    return exp.Paren(this=joined)


def ends_with(node: exp.Expression) -> exp.Expression:
    return call("ends_with", node.this, node.expression)


def count_if(node: exp.Expression) -> exp.Expression:
    """DuckDB's own gives a number of 128 bits."""
    return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=node.this.copy()))


RULES: Dict[type, Rule] = {
    exp.Table: table,
    exp.TryCast: safe_cast,
    exp.DataType: data_type,
    exp.Date: date,
    exp.CurrentDate: current_date,
    exp.TimestampSub: timestamp_sub,
    exp.TimestampTrunc: timestamp_trunc,
    exp.DateSub: date_sub,
    exp.Concat: concat,
    exp.CountIf: count_if,
    exp.EndsWith: ends_with,
}

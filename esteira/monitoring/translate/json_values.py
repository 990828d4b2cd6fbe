"""BigQuery's JSON in DuckDB: a text that was checked once.

https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions
"""

from typing import Callable, Dict

from sqlglot import exp

from esteira.monitoring.translate.rule import MADE, Rule, call, cast, function, number, refuse, text, try_cast, when

# DuckDB's reader takes a comma after the last element, NaN and Infinity; BigQuery's doesn't. They may stand in a
# string, so the strings are taken out where the first look finds one.
SLOPPY_COMMA = r",\s*[\]}]"
SLOPPY_NUMBER = r"(?i)nan|inf"
STRINGS = r'"(\\.|[^"\\])*"'
# A number that no FLOAT64 holds cannot be rounded to one, and BigQuery takes none: it has as many digits, or a power.
# https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#parse_json
GREAT_POWER = r"[eE][+]?[0-9]{3}"
MANY_DIGITS = 200
# All that is looked for in one go, which takes half as long.
SUSPECT = f"[nN][aA][nN]|[iI][nN][fF]|{SLOPPY_COMMA}|{GREAT_POWER}"
NUMBERS = r"-?[0-9][0-9.eE+-]*"
# https://cloud.google.com/bigquery/docs/json-data#limitations
MAX_DEPTH = 500
BRACKETS = r"[\[\]{}]"
# What brackets do to the depth, and how far it comes at most on the way.
STEP = function("x", "CASE WHEN x IN ('[', '{') THEN {'step': 1, 'most': 1} ELSE {'step': -1, 'most': 0} END")
JOIN_STEPS = function("a b", "{'step': a.step + b.step, 'most': GREATEST(a.most, a.step + b.most)}")
IS_TOO_GREAT = function("x", "NOT ISFINITE(TRY_CAST(x AS DOUBLE))")
KINDS = {"OBJECT": "object", "ARRAY": "array", "VARCHAR": "string", "BOOLEAN": "boolean", "NULL": "null"}


def parse_json(function: exp.Expression) -> exp.Expression:
    """SAFE.PARSE_JSON(x, wide_number_mode => 'round') is the text itself, or null."""
    value, *options = function.expressions
    modes = [(option.name, option.expression.name) for option in options if isinstance(option, exp.Kwarg)]
    if modes != [("wide_number_mode", "round")]:
        raise refuse(function)
    return when(exp.and_(call("json_valid", value), exp.or_(looks_strict(value), is_strict(value))), value)


def looks_strict(value: exp.Expression) -> exp.Expression:
    """Return a condition that is cheap, and false for some documents that are right."""
    return exp.not_(
        exp.or_(call("regexp_matches", value, text(SUSPECT)), may_have_many_digits(value), may_be_deep(value))
    )


def is_strict(value: exp.Expression) -> exp.Expression:
    outside = call("regexp_replace", value, text(STRINGS), text('""'), text("g"))
    sloppy = exp.or_(
        call("regexp_matches", outside, text(SLOPPY_COMMA)), call("regexp_matches", outside, text(SLOPPY_NUMBER))
    )
    numbers = call("regexp_extract_all", outside, text(NUMBERS))
    too_great = call("len", call("list_filter", numbers, IS_TOO_GREAT))
    is_finite = exp.or_(exp.not_(may_be_great(outside)), exp.EQ(this=too_great, expression=number(0)))
    is_shallow = exp.or_(exp.not_(may_be_deep(outside)), exp.LTE(this=depth_of(outside), expression=number(MAX_DEPTH)))
    return exp.and_(exp.not_(sloppy), is_finite, is_shallow)


def may_be_great(value: exp.Expression) -> exp.Expression:
    """Return whether a document may have a number that is too great."""
    return exp.or_(call("regexp_matches", value, text(GREAT_POWER)), may_have_many_digits(value))


def may_have_many_digits(value: exp.Expression) -> exp.Expression:
    return if_longer(value, MANY_DIGITS, call("regexp_matches", value, text(f"[0-9]{{{MANY_DIGITS}}}")))


def may_be_deep(value: exp.Expression) -> exp.Expression:
    """Return whether a document has more brackets than levels are allowed."""
    others = call("replace", call("replace", value, text("["), text("")), text("{"), text(""))
    opened = exp.Paren(this=exp.Sub(this=call("strlen", value), expression=call("strlen", others)))
    return if_longer(value, 2 * MAX_DEPTH, exp.GT(this=opened, expression=number(MAX_DEPTH)))


def if_longer(value: exp.Expression, size_bytes: int, condition: exp.Expression) -> exp.Expression:
    """Return a condition that is looked at in long documents only, which AND would not see to."""
    is_longer = exp.GT(this=call("strlen", value), expression=number(size_bytes))
    return exp.Case(ifs=[exp.If(this=is_longer, true=condition)], default=exp.false())


def depth_of(outside: exp.Expression) -> exp.Expression:
    """Return how deep a document is of which the strings are taken out."""
    steps = call("list_transform", call("regexp_extract_all", outside, text(BRACKETS)), STEP)
    return call("struct_extract", call("list_reduce", steps, JOIN_STEPS), text("most"))


def json_type(function: exp.Expression) -> exp.Expression:
    kind = call("json_type", function.expressions[0])
    names = [exp.If(this=text(theirs), true=text(ours)) for theirs, ours in KINDS.items()]
    named = exp.Case(this=kind, ifs=names, default=text("number"))
    return when(exp.not_(exp.Is(this=kind.copy(), expression=exp.Null())), named)


def compare_types(tree: exp.Expression) -> None:
    """Compare DuckDB's own name in JSON_TYPE(x) = 'array', in half the time; the tree is not translated yet."""
    for node in list(tree.find_all(exp.EQ)):
        function, theirs = node.left, {ours: theirs for theirs, ours in KINDS.items()}.get(node.right.name)
        is_type = isinstance(function, exp.Anonymous) and function.name.upper() == "JSON_TYPE"
        if is_type and len(function.expressions) == 1 and theirs and isinstance(node.right, exp.Literal):
            node.replace(exp.EQ(this=call("json_type", function.expressions[0]), expression=text(theirs)))


def safe_string(function: exp.Expression) -> exp.Expression:
    value = function.expressions[0]
    return when(
        exp.EQ(this=call("json_type", value), expression=text("VARCHAR")), call("json_extract_string", value, text("$"))
    )


def safe_bool(function: exp.Expression) -> exp.Expression:
    value = function.expressions[0]
    is_bool = exp.EQ(this=call("json_type", value), expression=text("BOOLEAN"))
    return when(is_bool, exp.EQ(this=call("json_extract_string", value, text("$")), expression=text("true")))


def safe_float(function: exp.Expression) -> exp.Expression:
    """JSON that is no number is no number in SQL either: a string has its quotes, and DuckDB takes none of the rest.

    A number that is too large for 64 bits, which DuckDB reads as infinite, is none.
    """
    as_float = try_cast(function.expressions[0], "DOUBLE")
    return when(call("isfinite", as_float), as_float)


def safe_floats(values: exp.Expression) -> exp.Expression:
    """The same for all elements at once, which is many times faster than one by one."""
    as_floats = try_cast(values, "DOUBLE[]")
    extremes = [call("isinf", call(name, as_floats)) for name in ("list_max", "list_min")]
    finite = when(call("isfinite", exp.column("x")), exp.column("x"))
    mended = call("list_transform", as_floats, exp.Lambda(this=finite, expressions=[exp.to_identifier("x")]))
    return exp.Case(ifs=[exp.If(this=exp.or_(*extremes), true=mended)], default=as_floats)


def safe_int(function: exp.Expression) -> exp.Expression:
    """A number with a fraction is none, 2.0 is 2."""
    as_float = try_cast(function.expressions[0], "DOUBLE")
    whole = exp.EQ(this=as_float, expression=call("trunc", as_float))
    return when(whole, try_cast(function.expressions[0], "BIGINT"))


def query(node: exp.Expression) -> exp.Expression:
    """JSON_QUERY: JSON within JSON."""
    return cast(call("json_extract", node.this, path_of(node)), "TEXT")


def value(node: exp.Expression) -> exp.Expression:
    """JSON_VALUE: a scalar as text, null for an object or a list."""
    path = path_of(node)
    is_nested = exp.In(this=call("json_type", node.this, path), expressions=[text("OBJECT"), text("ARRAY")])
    return when(exp.not_(is_nested), call("json_extract_string", node.this, path))


def query_array(node: exp.Expression) -> exp.Expression:
    """JSON_QUERY_ARRAY: the elements, each as JSON; null where there is no list."""
    path = path_of(node)
    elements = cast(call("json_extract", node.this, text(path.name + "[*]")), "TEXT[]")
    return when(exp.EQ(this=call("json_type", node.this, path), expression=text("ARRAY")), elements)


def to_json_string(node: exp.Expression) -> exp.Expression:
    written = cast(call("json_extract", node.this, text("$")), "TEXT")
    return exp.Coalesce(this=written, expressions=[text("null")])


def path_of(node: exp.Expression) -> exp.Expression:
    """Return the path as DuckDB has it, each name in quotes."""
    path = node.args.get("expression")
    if not isinstance(path, exp.JSONPath):
        raise refuse(node)
    steps = []
    for step in path.expressions:
        if isinstance(step, exp.JSONPathRoot):
            steps.append("$")
        elif isinstance(step, exp.JSONPathKey) and isinstance(step.this, str) and not set(step.this) & set('"\\*?'):
            steps.append(f'."{step.this}"')
        elif isinstance(step, exp.JSONPathSubscript) and isinstance(step.this, int) and step.this >= 0:
            steps.append(f"[{step.this}]")
        else:
            raise refuse(node)
    return text("".join(steps))


# Functions that are written SAFE.name(...).
SAFE: Dict[str, Callable[[exp.Expression], exp.Expression]] = {
    "PARSE_JSON": parse_json,
    "STRING": safe_string,
    "FLOAT64": safe_float,
    "INT64": safe_int,
    "BOOL": safe_bool,
}


def safe_function(node: exp.Expression) -> exp.Expression:
    function = node.expression
    if node.name.upper() != "SAFE" and getattr(node.this, "name", "").upper() != "SAFE":
        raise refuse(node)
    rule = SAFE.get(function.name.upper()) if isinstance(function, exp.Anonymous) else None
    if rule is None:
        raise refuse(node)
    return rule(function)


def plain_function(node: exp.Expression) -> exp.Expression:
    if isinstance(node.parent, exp.Dot) or node.meta.get(MADE):
        return node
    if node.name.upper() == "JSON_TYPE" and len(node.expressions) == 1:
        return json_type(node)
    raise refuse(node)


RULES: Dict[type, Rule] = {
    exp.Dot: safe_function,
    exp.Anonymous: plain_function,
    exp.JSONExtract: query,
    exp.JSONExtractScalar: value,
    exp.JSONExtractArray: query_array,
    exp.JSONFormat: to_json_string,
}

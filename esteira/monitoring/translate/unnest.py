"""FROM t CROSS JOIN UNNEST(a) AS x WITH OFFSET AS i, in DuckDB.

DuckDB unnests one list at a time, and what comes after it pays some 10 us a list and operator for vectors of a row or
so. So lists of one element, which most requests have, are not unnested: their element is taken. Behind the others a
condition gathers full vectors again. It does so only where no column is a list, so b[SAFE_ORDINAL(i + 1)] is unnested
beside a; and it is on a random number, since another condition would be moved before the unnest.
"""

from typing import Dict, List

from sqlglot import exp

from esteira.monitoring.translate.rule import call, number, refuse


def unnest_joins(tree: exp.Expression) -> None:
    """Rewrite every such join in the tree, which is not translated yet."""
    for select in list(tree.find_all(exp.Select)):
        joins = select.args.get("joins") or []
        if any(isinstance(join.this, exp.Unnest) for join in joins):
            unnest_join(select, joins)


def unnest_join(select: exp.Expression, joins: List[exp.Expression]) -> None:
    unnest, source = joins[0].this, select.args["from"].this
    if any(isinstance(join.this, exp.Unnest) for join in joins[1:]) or not is_plain(joins[0], source):
        raise refuse(select)
    (values,), alias = unnest.expressions, unnest.args["alias"]
    element = alias.columns[0].name
    place = unnest.args["offset"].name if unnest.args.get("offset") is not None else f"{element}_place"
    lists = {element: values}
    for position, bracket in enumerate(elements_at(select, place)):
        lists[f"{place}_{position}"] = bracket.this
        bracket.replace(exp.column(f"{place}_{position}"))
    star = outer_star(select)
    rows = exp.union(
        only_elements(source, lists, place, star), all_elements(source, lists, place, star), distinct=False
    )
    name = exp.TableAlias(this=exp.to_identifier(source.alias_or_name))
    select.args["from"].set("this", exp.Subquery(this=rows, alias=name))
    select.set("joins", joins[1:])


def only_elements(
    source: exp.Expression, lists: Dict[str, exp.Expression], place: str, star: exp.Expression
) -> exp.Select:
    """Return a select of the rows whose list has one element."""
    columns = [exp.alias_(call("list_extract", values, number(1)), name) for name, values in lists.items()]
    selected = exp.select(star.copy(), *columns, exp.alias_(number(0), place)).from_(source.copy())
    return selected.where(exp.EQ(this=call("len", next(iter(lists.values()))), expression=number(1)))


def all_elements(
    source: exp.Expression, lists: Dict[str, exp.Expression], place: str, star: exp.Expression
) -> exp.Select:
    """Return a select of a row for each element of the other lists."""
    gathered = f"{place}_gathered"
    values = next(iter(lists.values()))
    numbers = exp.Sub(this=call("generate_subscripts", values, number(1)), expression=number(1))
    columns = [exp.alias_(call("unnest", listed), name) for name, listed in lists.items()]
    columns += [exp.alias_(numbers, place), exp.alias_(call("random"), gathered)]
    inner = exp.select(star.copy(), *columns).from_(source.copy())
    inner = inner.where(exp.GT(this=call("len", values), expression=number(1)))
    everything = exp.Star(**{"except": [exp.to_identifier(gathered)]})
    # Of lists of unequal lengths the shorter end with nulls.
    is_there = exp.not_(exp.Is(this=exp.column(place), expression=exp.Null()))
    is_gathered = exp.GTE(this=exp.column(gathered), expression=number(0))
    return exp.select(everything).from_(inner.subquery("lists")).where(is_there, is_gathered)


def outer_star(select: exp.Expression) -> exp.Expression:
    """Return the star that leaves out at once what the select leaves out of its own, which is whole then."""
    stars = [star for selected in select.expressions for star in selected.find_all(exp.Star) if star.args.get("except")]
    if len(stars) != 1:
        return exp.Star()
    left_out = [column.copy() for column in stars[0].args["except"]]
    stars[0].set("except", None)
    return exp.Star(**{"except": left_out})


def is_plain(join: exp.Expression, source: exp.Expression) -> bool:
    alias = join.this.args.get("alias") if isinstance(join.this, exp.Unnest) else None
    is_cross = join.args.get("kind") in ("CROSS", None) and not join.args.get("on") and not join.args.get("side")
    is_named = alias is not None and len(alias.columns) == 1 and len(join.this.expressions) == 1
    return is_cross and is_named and isinstance(source, exp.Table)


def elements_at(select: exp.Expression, offset: str) -> List[exp.Expression]:
    """Return b[SAFE_ORDINAL(i + 1)] among what is selected, where b is a column and i the offset."""
    place = exp.Add(this=exp.column(offset), expression=number(1))
    return [
        bracket
        for selected in select.expressions
        for bracket in selected.find_all(exp.Bracket)
        if bracket.args.get("safe")
        and bracket.args.get("offset") == 1
        and isinstance(bracket.this, exp.Column)
        and bracket.expressions == [place]
    ]

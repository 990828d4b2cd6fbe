"""The parameters of a query. https://cloud.google.com/bigquery/docs/reference/rest/v2/QueryParameter"""

from typing import Any, Dict, List

from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.warehouse.values import Json, read_value


def read_parameters(given: List[Json]) -> Dict[str, Any]:
    """Return a query's named parameters as DuckDB takes them."""
    found: Dict[str, Any] = {}
    for entry in given:
        if not entry.get("name"):
            raise Refused(501, "the stand-in takes named parameters alone")
        kind, value = entry["parameterType"], entry.get("parameterValue", {})
        is_list = kind["type"] == "ARRAY"
        column = {"name": entry["name"], "type": kind["arrayType"]["type"] if is_list else kind["type"]}
        try:
            if is_list:
                values = [each.get("value") for each in value.get("arrayValues", [])]
                found[entry["name"]] = read_value({**column, "mode": "REPEATED"}, values)
            else:
                found[entry["name"]] = read_value(column, value.get("value"))
        except ValueError as error:
            raise Refused(400, f"Invalid value for parameter {entry['name']}: {error}", reason="invalid") from None
    return found

"""The committed copies of Google's discovery documents."""

import json
import re
from typing import Any, Dict, List

import pytest

from esteira.local.cloud.cut import METHODS, cut
from esteira.local.cloud.discovery import DOCUMENTS

WANTED: Dict[str, List[str]] = {}
for line in METHODS.read_text(encoding="utf-8").splitlines():
    if line and not line.startswith("#"):
        WANTED.setdefault(line.split()[0], []).append(line.split()[1])


def read(api: str) -> Dict[str, Any]:
    found: Dict[str, Any] = json.loads((DOCUMENTS / f"{api}.json").read_text(encoding="utf-8"))
    return found


def test_there_is_a_document_of_each_api_and_no_other() -> None:
    assert {path.name for path in DOCUMENTS.iterdir()} == {f"{api}.json" for api in WANTED}


def test_no_method_is_listed_twice() -> None:
    assert {api: sorted(set(methods)) for api, methods in WANTED.items()} == {
        api: sorted(methods) for api, methods in WANTED.items()
    }


@pytest.mark.parametrize("api", sorted(WANTED))
def test_a_document_holds_the_methods_that_are_listed(api: str) -> None:
    document = read(api)
    assert document["id"] == api.replace(".", ":")
    assert [method["id"] for method in document["methods"]] == sorted(WANTED[api])


@pytest.mark.parametrize("api", sorted(WANTED))
def test_a_document_holds_all_that_it_refers_to_and_nothing_else(api: str) -> None:
    document = read(api)
    begun = [method[key] for method in document["methods"] for key in ("request", "response") if key in method]
    referred = re.findall(r'"\$ref": "([^"]+)"', json.dumps(document["schemas"]))
    assert set(document["schemas"]) == {*begun, *referred}
    assert "description" not in {key for schema in document["schemas"].values() for key in schema}


def test_a_document_is_cut_to_what_its_methods_reach() -> None:
    thing = {"type": "object", "description": "A thing.", "properties": {"part": {"$ref": "Part"}}}
    document = {
        "id": "things:v1",
        "revision": "1",
        "servicePath": "",
        "schemas": {"Thing": thing, "Part": {"type": "object", "properties": {}}, "Other": {"type": "object"}},
        "resources": {"things": {"methods": {"get": make_method("get"), "list": make_method("list")}}},
    }
    made = cut(document, {"things.get"})
    assert [method["id"] for method in made["methods"]] == ["things.get"]
    assert made["schemas"] == {
        "Thing": {"type": "object", "properties": {"part": {"$ref": "Part"}}},
        "Part": {"type": "object", "properties": {}},
    }
    with pytest.raises(KeyError, match="things.put"):
        cut(document, {"things.put"})


def make_method(name: str) -> Dict[str, Any]:
    return {
        "id": f"things.{name}",
        "httpMethod": "GET",
        "path": "v1/{+name}",
        "parameters": {"name": {"location": "path", "type": "string", "description": "Its name."}},
        "response": {"$ref": "Thing" if name == "get" else "Other"},
    }

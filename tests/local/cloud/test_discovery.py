"""What Google's discovery documents find wrong with a request."""

from typing import Any, Dict, List

import pytest

from esteira.local.cloud.discovery import Discovery, Method, discovery, find_method

DOCUMENT: Dict[str, Any] = {
    "servicePath": "",
    "methods": [
        {
            "id": "things.create",
            "httpMethod": "POST",
            "path": "v1/{+parent}/things",
            "parameters": {
                "parent": {"location": "path", "pattern": "^projects/[^/]+$", "type": "string"},
                "pageSize": {"location": "query", "type": "integer"},
                "view": {"location": "query", "type": "string", "enum": ["BASIC", "FULL"]},
            },
            "request": "Thing",
            "response": "Thing",
        },
        {"id": "things.delete", "httpMethod": "DELETE", "path": "v1/{+name}", "parameters": {}},
        {"id": "things.stop", "httpMethod": "POST", "path": "v1/things/{id}:stop", "parameters": {}},
    ],
    "schemas": {
        "Thing": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "sizeBytes": {"type": "string", "format": "int64"},
                "count": {"type": "integer", "format": "int32"},
                "share": {"type": "number", "format": "double"},
                "on": {"type": "boolean"},
                "state": {"type": "string", "enum": ["READY", "GONE"]},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "parts": {"type": "array", "items": {"$ref": "Thing"}},
                "anything": {"type": "any"},
            },
        }
    },
}
THINGS = Discovery(DOCUMENT)


def method(name: str) -> Method:
    (found,) = [known for known in THINGS.methods if known.id == name]
    return found


def faults(body: Any) -> List[str]:
    return THINGS.request_faults(method("things.create"), body)


def test_a_body_as_google_documents_it_has_no_faults() -> None:
    thing = {
        "name": "a",
        "sizeBytes": "12",
        "count": 3,
        "share": 0.5,
        "on": True,
        "state": "READY",
        "labels": {"any": "text"},
        "parts": [{"name": "b"}, {"parts": []}],
        "anything": [{"at": "all"}],
    }
    assert faults(thing) == []
    assert faults({"sizeBytes": 12, "count": "3", "share": 1, "name": None, "state": 1}) == []
    assert faults(None) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"nme": "a"}, "Invalid JSON payload received. Unknown name \"nme\" at '': Cannot find field."),
        (
            {"parts": [{}, {"parts": [{"nme": "a"}]}]},
            "Invalid JSON payload received. Unknown name \"nme\" at 'parts[1].parts[0]': Cannot find field.",
        ),
        ({"state": "ready"}, "Invalid value at 'state': \"ready\", expected one of READY, GONE"),
        ({"state": True}, "Invalid value at 'state' (string): true"),
        ({"state": "1"}, "Invalid value at 'state': \"1\", expected one of READY, GONE"),
        ({"sizeBytes": "12 B"}, "Invalid value at 'sizeBytes' (int64): \"12 B\""),
        ({"sizeBytes": 1.5}, "Invalid value at 'sizeBytes' (int64): 1.5"),
        ({"count": True}, "Invalid value at 'count' (int32): true"),
        ({"share": "half"}, "Invalid value at 'share' (double): \"half\""),
        ({"on": "yes"}, "Invalid value at 'on' (boolean): \"yes\""),
        ({"name": 1}, "Invalid value at 'name' (string): 1"),
        ({"labels": {"a": 1}}, "Invalid value at 'labels.a' (string): 1"),
        ({"labels": []}, "Invalid value at 'labels': expected an object, got []"),
        ({"parts": {}}, "Invalid value at 'parts': expected a list, got {}"),
        ([], "Invalid value at '': expected an object, got []"),
    ],
)
def test_a_fault_is_told_with_its_place(body: Any, expected: str) -> None:
    assert faults(body) == [expected]


def test_all_faults_are_told_at_once() -> None:
    assert len(faults({"nme": "a", "on": 1, "parts": [{"on": 1}]})) == 3


def test_a_method_without_a_body_takes_none() -> None:
    assert THINGS.request_faults(method("things.delete"), {"a": 1}) == ["things.delete takes no body"]
    assert THINGS.request_faults(method("things.delete"), None) == []


def test_a_method_is_found_by_its_path() -> None:
    found = THINGS.find("POST", "v1/projects/a/things")
    assert found and (found[0].id, found[1]) == ("things.create", {"parent": "projects/a"})
    stop = THINGS.find("POST", "v1/things/a%20b:stop")
    assert stop and (stop[0].id, stop[1]) == ("things.stop", {"id": "a b"})
    deleted = THINGS.find("DELETE", "v1/projects/a/things/b")
    assert deleted and deleted[1] == {"name": "projects/a/things/b"}
    for http, path in [("POST", "v1/projects/a/b/things"), ("GET", "v1/projects/a/things"), ("POST", "v2/x")]:
        assert THINGS.find(http, path) is None


def test_parameters_are_held_against_the_document() -> None:
    create = method("things.create")
    assert list(THINGS.query_faults(create, {"pageSize": "10", "view": "FULL", "alt": "json"})) == []
    assert list(THINGS.query_faults(create, {"pageSize": "ten", "view": "ALL", "size": "1", "parent": "b"})) == [
        "Invalid value at 'pageSize': \"ten\"",
        "Invalid value at 'view': \"ALL\"",
        'Invalid JSON payload received. Unknown name "size": Cannot bind query parameter.',
        'Invalid JSON payload received. Unknown name "parent": Cannot bind query parameter.',
    ]


def test_names_of_objects_hold_what_they_may() -> None:
    found = discovery("storage").find("GET", "b/demo-bucket/o/a%2Fb%20c%3Ad")
    assert found and found[1] == {"bucket": "demo-bucket", "object": "a/b c:d"}


def test_versions_of_a_service_stand_beside_each_other() -> None:
    services = "projects/demo-project/services"
    enable = find_method("serviceusage", "POST", f"v1/{services}:batchEnable")
    agent = find_method("serviceusage", "POST", f"v1beta1/{services}/a:generateServiceIdentity")
    assert enable and enable[1].id == "serviceusage.services.batchEnable"
    assert agent and agent[1].id == "serviceusage.services.generateServiceIdentity"
    assert find_method("serviceusage", "POST", f"v1beta1/{services}:batchEnable") is None

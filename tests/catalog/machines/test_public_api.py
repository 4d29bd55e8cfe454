"""The read API: what it answers, how it pages, and what it refuses."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client
from django.utils import timezone

from catalog import public_api, rates
from catalog.models import CatalogServer, CatalogTool, Change
from catalog.public_api_schema import PLACE
from tests.catalog.machines import places
from tests.catalog.pages.conftest import make_tool
from tests.world import HOSTILE

pytestmark = pytest.mark.django_db
ROOT = "/api/catalog/v1"


def get(path: str, **headers: str):
    return Client().get(f"{ROOT}/{path}", headers=headers or None)


def everything(path: str) -> list[Any]:
    """All items, page by page. No page may come twice."""
    found, following, seen = [], f"{ROOT}/{path}", set()
    while following:
        assert following not in seen
        seen.add(following)
        page = Client().get(following).json()
        found += page["items"]
        following = page["next"] and page["next"].removeprefix("http://127.0.0.1:8000")
    return found


# What is documented.


def document() -> Any:
    return get("openapi.json").json()


def schema_of(path: str) -> Any:
    plain = path.partition("?")[0].replace("%2F", "/").split("/")
    for known, operations in document()["paths"].items():
        parts = known.split("/")
        fits = len(parts) == len(plain) and all(
            a == b or a.startswith("{") for a, b in zip(parts, plain, strict=True)
        )
        if fits:
            answer = operations["get"]["responses"]["200"]
            return answer["content"]["application/json"]["schema"]
    raise AssertionError(path)


@pytest.mark.parametrize("path", places.API)
def test_each_answer_is_what_the_document_says(path, tidy):
    schema = schema_of(path) | {"components": document()["components"]}
    checked = jsonschema_rs.validator_for(schema, validate_formats=True)
    errors = [error.message for error in checked.iter_errors(Client().get(path).json())]
    assert errors == []


def test_the_document_is_openapi(db, valkey):
    found = document()
    assert found["openapi"] == "3.1.0"
    ids = []
    for path, operations in found["paths"].items():
        for operation in operations.values():
            ids.append(operation["operationId"])
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == {part[1:-1] for part in path.split("/") if part[:1] == "{"}
            assert operation["summary"]
    assert len(ids) == len(set(ids)) == 12
    for schema in found["components"]["schemas"].values():
        jsonschema_rs.validator_for(schema | {"components": found["components"]})


def test_parameters_that_are_documented_are_taken(tidy):
    for path, operations in document()["paths"].items():
        if "{" in path:
            continue
        for parameter in operations["get"]["parameters"]:
            refused = Client().get(path, {parameter["name"]: ""})
            assert refused.status_code == 400, (path, parameter["name"])
        assert Client().get(path, {"misspelt": "x"}).status_code == 400


# What is answered.


def test_a_tool_has_verdict_evidence_and_policy(hostile):
    path = f"servers/{places.SERVER}/tools/{hostile.slug}"
    found = get(path).json()
    assert found["name"] == HOSTILE
    assert (found["category"], found["severity"]) == ("Destructive", "critical")
    assert found["evidence"][0]["why"] == HOSTILE
    assert found["policy"] is None or found["policy"]["hide"]
    tidy = get(f"servers/{places.SERVER}/tools/run-query").json()
    assert (
        tidy["policy"]["default"] == "deny" and "run_query" in tidy["policy"]["tools"]
    )
    assert get("servers/none/tools/none").status_code == 404


def test_the_policy_is_the_page_s(tidy):
    page = Client().get("/tools/acme-storage/policy.json")
    answer = get("servers/acme-storage/policy")
    assert answer.json() == page.json()
    assert "delete_bucket" in answer.json()["hide"]


def test_tools_are_found_by_words_and_facets(tidy):
    def names(query: str) -> set[str]:
        return {each["name"] for each in everything(f"tools?{query}")}

    assert {"list_buckets", "delete_bucket"} <= names("q=bucket")
    assert names("q=buck+delete") == {"delete_bucket"}
    assert names("category=Financial&publisher=blue") == {"createRefund"}
    assert names("q=list&publisher=acme&severity=low") == {"list_buckets"}
    assert names("q=bukcet") == set()  # a program is not guessed at
    assert len(everything("tools")) == CatalogTool.objects.count()


@pytest.mark.parametrize("path", ["tools", "servers", "changes", "tools?q=list"])
def test_pages_hold_each_row_once(path, tidy):
    CatalogTool.objects.bulk_create(
        make_tool(tidy, f"list_{n}", "Read", "low") for n in range(7)
    )
    Change.objects.bulk_create(
        Change(server=tidy, tool=f"list_{n}", kind="added", at=timezone.now())
        for n in range(7)
    )
    whole = get(path).json()["items"]
    joint = "&" if "?" in path else "?"
    by_two = everything(f"{path}{joint}limit=2")
    assert len(whole) > 2 and by_two == whole


def test_rows_of_the_same_moment_are_not_lost(tidy):
    at = timezone.now()
    Change.objects.bulk_create(
        Change(server=tidy, tool=f"t{n}", kind="added", at=at) for n in range(5)
    )
    named = [each["tool"] for each in everything("changes?server=acme-storage&limit=2")]
    assert named == ["t4", "t3", "t2", "t1", "t0"]


def test_since_bounds_the_changes(tidy):
    at = timezone.now()
    for days in (1, 3):
        Change.objects.create(
            server=tidy, tool=f"d{days}", kind="added", at=at - timedelta(days=days)
        )
    since = (at - timedelta(days=2)).isoformat()
    # Clients forget to encode the plus sign of the zone.
    found = everything(f"changes?server=acme-storage&since={since}")
    assert [each["tool"] for each in found] == ["d1"]


def test_a_page_is_bounded(tidy):
    assert len(get("tools?limit=200").json()["items"]) <= 200
    for limit in ("0", "201", "-1", "1e9", "²", "9" * 400):
        assert get(f"tools?limit={limit}").status_code == 400, limit


# What is refused.


def cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


PLACES: list[object] = [
    *([], {}, [1], ["a"], [None], [True, "x", 1], [[1]], 5, "a"),
    *(["a\0b"], ["\ud800"], [2**70, "a", 1], [1, "a", 2**70]),
    *(["9999-99-99", 1], ["0001-01-01T00:00:00+23:00", 1], ["2026-01-01", 1]),
    *(["2026-01-01T00:00:00+00:00", each] for each in ("x", None, 1.5, 2**70, -1)),
]
MADE_UP = [
    *("x", "!!!!", "%00", "e30", "bnVsbA", "A" * 5999, "A" * 7000, "é"),
    base64.urlsafe_b64encode(b"[" * 3000).decode(),
    *map(cursor, PLACES),
]


@pytest.mark.parametrize("path", ["tools", "servers", "changes"])
def test_a_made_up_cursor_does_no_harm(path, tidy):
    for made_up in MADE_UP:
        answer = get(f"{path}?cursor={made_up}")
        assert answer.status_code in {200, 400}, made_up
        if answer.status_code == 400:
            assert answer.json()["errors"][0]["parameter"] == "cursor"


WRONG = [
    *("q=", "q=***", "q=%00", f"q={'x' * 201}", "q=a&q=b", "category=read"),
    *("severity=", "nothing=1", "cursor=", "limit=x", "publisher=%00"),
]


def test_a_wrong_parameter_is_named(tidy):
    for query in WRONG:
        answer = get(f"tools?{query}")
        assert answer.status_code == 400, query
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["Cache-Control"] == "no-store"
        told = answer.json()
        assert told["status"] == 400 and told["type"].endswith("#invalid")
        assert told["errors"][0]["parameter"] == query.partition("=")[0]


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+23:00", "9" * 99])
def test_a_moment_has_a_zone(since, tidy):
    for wrong in (since, "x", "2026-01-01", "2026-01-01T00:00:00", "²026-01-01T00Z"):
        assert get(f"changes?since={wrong}").status_code == 400, wrong


def test_any_site_may_read_without_credentials(tidy):
    for path in ("tools", "servers/none", "tools?nothing=1"):
        answer = get(path, Origin="https://elsewhere.example")
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" not in answer.get("Vary", "")
    asked = Client().options(
        f"{ROOT}/tools", headers={"Access-Control-Request-Method": "GET"}
    )
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "If-None-Match" in asked["Access-Control-Allow-Headers"]


def test_other_methods_are_a_problem(tidy):
    answer = Client(enforce_csrf_checks=True).post(f"{ROOT}/tools", {"x": "1"})
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


def test_who_asks_too_often_waits(tidy, monkeypatch):
    monkeypatch.setattr(public_api, "RATE", public_api.RATE._replace(most=3))
    statuses = [get("rubric").status_code for _ in range(5)]
    assert 429 in statuses and statuses[0] == 200
    answer = get("rubric")
    while answer.status_code == 200:  # a minute began anew meanwhile
        answer = get("rubric")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert not answer.cookies
    elsewhere = Client(REMOTE_ADDR="192.0.2.7").get(f"{ROOT}/rubric")
    assert elsewhere.status_code == 200


def test_nobody_reads_where_nobody_counts(tidy, monkeypatch):
    def fails(rate, request):
        raise rates.Unavailable("connection refused")

    monkeypatch.setattr(rates, "take", fails)
    answer = get("rubric")
    assert answer.status_code == 503 and answer["Retry-After"]


def test_addresses_that_are_none(tidy):
    answer = get("servers/none")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"


def test_places_in_addresses_are_documented():
    assert PLACE.findall("v1/<slug:server>/tools/<str:tool>") == ["server", "tool"]


def test_a_server_says_how_it_was_asked(tidy):
    found = get(f"servers/{places.SERVER}").json()
    assert found["scan"]["transport"] == "stdio"
    assert found["source"] == {"kind": "pypi", "name": "hostile-mcp-server"}
    for link in found["links"].values():
        assert (
            Client().get(link.removeprefix("http://127.0.0.1:8000")).status_code == 200
        )
    CatalogServer.objects.filter(slug="blue-pay").update(tools_listed=0)
    assert get("servers/blue-pay").json()["severity"] is None

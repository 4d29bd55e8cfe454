"""The REST API from outside: who gets in, what is shown, what is decided, what is said.

Whatever the API answers in these tests is held against its own OpenAPI document.
"""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts import api_access, api_schema, api_tokens, problems
from accounts.api_tokens import DECIDE, READ
from accounts.models import Membership, Role
from approvals import api as approvals_api
from approvals.models import Approval, Delegation, State, Via, Vote
from tests.conftest import member
from tests.world import World, make_approval

pytestmark = pytest.mark.django_db
ROOT = "/api/v1"
JSON, PROBLEM = "application/json", "application/problem+json"


@pytest.fixture
def world(kept_world: World, valkey: Any) -> World:
    cache.clear()
    world = kept_world
    world.acme.api_decisions = True
    world.acme.save(update_fields=["api_decisions"])
    for membership in world.people.values():
        membership.organization.api_decisions = True
    return world


@pytest.fixture
def approval(world) -> Approval:
    """A call of alice's grant that any approver may decide over the API."""
    row = make_approval(world.grant, State.PENDING)
    row.critical, row.severity, row.name = False, "medium", "create_refund"
    row.save()
    return row


class Caller:
    """A client with a member's token, which checks every answer by the document."""

    def __init__(self, membership: Membership, *scopes: str) -> None:
        self.membership = membership
        scopes = scopes or (READ, DECIDE)
        label = f"test {timezone.now().isoformat()}"
        self.row, self.token = api_tokens.mint(membership, label, scopes, None, True)
        self.client = Client(headers={"Authorization": f"Bearer {self.token}"})

    def get(self, path: str, **query: Any) -> Any:
        return checked("get", path, self.client.get(f"{ROOT}{path}", query))

    def decide(self, approval: Approval, decision: str, reason: str = "") -> Any:
        body = {"decision": decision, "reason": reason}
        return self.post(approval, json.dumps(body))

    def post(self, approval: Approval, body: object, content_type: str = JSON) -> Any:
        path = f"/approvals/{approval.pk}/decision"
        answer = self.client.post(f"{ROOT}{path}", body, content_type=content_type)
        return checked("post", path, answer)


DOCUMENTED = [
    ("get", "/api/v1/me"),
    ("get", "/api/v1/approvals"),
    ("get", "/api/v1/approvals/{approval_id}"),
    ("post", "/api/v1/approvals/{approval_id}/decision"),
]


def document() -> Any:
    return json.loads(api_schema.document())


def checked(method: str, path: str, answer: Any) -> Any:
    """The answer, after a look at what the document promises of it."""
    parts = path.strip("/").split("/")
    if len(parts) > 1:
        parts[1] = "{approval_id}"
    operation = document()["paths"][f"{ROOT}/{'/'.join(parts)}"][method]
    promised = operation["responses"][str(answer.status_code)]["content"]
    shape = closed(promised[answer["Content-Type"]]["schema"])
    validator = jsonschema_rs.Draft202012Validator(
        shape | {"components": document()["components"]}, validate_formats=True
    )
    validator.validate(answer.json())
    return answer


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Nothing that is not promised, on the outermost level."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return schema if name == "Problem" else schema | {"unevaluatedProperties": False}


def refused(answer: Any, status: int, kind: str) -> dict[str, Any]:
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["type"].endswith(f"/api/v1/problems#{kind}"), told
    assert told["title"] and told["detail"]
    return told


# -- the document ----------------------------------------------------------------------


def test_the_document_is_valid_and_made_without_a_warning(tmp_path, capsys):
    to = tmp_path / "openapi.json"
    call_command(
        "spectacular",
        validate=True,
        fail_on_warn=True,
        format="openapi-json",
        file=str(to),
    )
    made = json.loads(to.read_text())
    assert made["openapi"] == "3.1.0"
    assert made == document()
    found = {(verb, at) for at, verbs in made["paths"].items() for verb in verbs}
    assert found == set(DOCUMENTED)
    decide = made["paths"]["/api/v1/approvals/{approval_id}/decision"]["post"]
    assert decide["security"] == [{"token": []}]


def test_the_document_is_served_to_everybody():
    answer = Client().get(f"{ROOT}/openapi.json")
    assert answer.status_code == 200 and answer["Content-Type"] == JSON
    assert answer.json() == document()
    assert Client().post(f"{ROOT}/openapi.json").status_code == 405


def test_every_problem_has_its_place_on_the_page_it_leads_to():
    page = Client().get(f"{ROOT}/problems").content.decode()
    for name in problems.KINDS:
        assert f'id="{name}"' in page


def test_the_docs_have_every_problem_scope_and_operation():
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", page, re.MULTILINE)
    assert dict(rows) == {
        name: str(kind.status) for name, kind in problems.KINDS.items()
    }
    for scope in api_tokens.SCOPES:
        assert f"| `{scope}` |" in page
    for verb, at in DOCUMENTED:
        place = at.replace("approval_id", "id")
        assert f"| `{verb.upper()} {place}` |" in page
    for state in State.values:
        assert f"| `{state}` |" in page
    assert f"{api_access.MOST_A_MINUTE} requests a minute" in page


# -- who gets in -----------------------------------------------------------------------


def test_without_a_token_there_is_a_challenge(world):
    answer = checked("get", "/approvals", Client().get(f"{ROOT}/approvals"))
    refused(answer, 401, "no-token")
    assert answer["WWW-Authenticate"] == 'Bearer realm="PolicyLayer"'


@pytest.mark.parametrize(
    "header",
    ["Bearer plm_" + "x" * 40, "Bearer", "Basic YTpi", "Bearer pl_x", "plm_x", "x"],
)
def test_a_token_that_does_not_hold(world, header):
    client = Client(headers={"Authorization": header})
    client.force_login(world.people["alice"].user)
    answer = checked("get", "/me", client.get(f"{ROOT}/me"))
    refused(answer, 401, "bad-token")
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


def test_a_revoked_token_an_expired_one_and_one_of_who_left(world):
    anna = world.people["anna"]
    one, two, three = Caller(anna), Caller(anna), Caller(world.people["bob"])
    assert one.get("/me").status_code == 200
    api_tokens.revoke(anna, one.row)
    two.row.expires_at = timezone.now() - timedelta(seconds=1)
    two.row.save(update_fields=["expires_at"])
    Membership.objects.for_organization(world.acme).filter(
        pk=three.membership.pk
    ).delete()
    for caller in (one, two, three):
        refused(caller.get("/me"), 401, "bad-token")


def test_me(world):
    told = Caller(world.people["anna"], READ).get("/me").json()
    assert told["member"]["email"] == "anna@example.com"
    assert told["member"]["role"] == Role.APPROVER
    assert told["organization"]["slug"] == "acme"
    assert told["scopes"] == [READ]
    assert told["token"]["label"].startswith("test ")


def test_reading_needs_the_scope(world, approval):
    caller = Caller(world.people["anna"], DECIDE)
    for path in ("/approvals", f"/approvals/{approval.pk}"):
        answer = caller.get(path)
        assert refused(answer, 403, "missing-scope")["scope"] == READ
        assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]


def test_a_session_reads_and_never_decides(world, approval):
    client = Client()
    client.force_login(world.people["anna"].user)
    for path in ("/me", "/approvals", f"/approvals/{approval.pk}"):
        assert checked("get", path, client.get(f"{ROOT}{path}")).status_code == 200
    path = f"/approvals/{approval.pk}/decision"
    answer = client.post(f"{ROOT}{path}", {"decision": "deny"}, content_type=JSON)
    refused(checked("post", path, answer), 401, "no-token")
    assert (
        not Vote.objects.for_organization(world.acme).filter(approval=approval).exists()
    )


def test_a_session_says_who_asks_of_what_only_reads(world):
    """Whatever view it is: what changes something would need CSRF's token."""
    for method, taken in (("GET", True), ("HEAD", True), ("POST", False)):
        request = APIRequestFactory().generic(method, "/")
        request.user, request.session = world.people["anna"].user, SessionStore()
        found = api_access.ReadingSession().authenticate(Request(request))
        assert bool(found) is taken


def test_a_person_of_no_organization(world):
    charlie = world.people["charlie"]
    client = Client()
    client.force_login(charlie.user)
    Membership.objects.across_organizations().filter(pk=charlie.pk).delete()
    refused(client.get(f"{ROOT}/me"), 403, "no-organization")


def test_what_belongs_to_others_does_not_exist(world, approval):
    caller = Caller(world.people["charlie"])
    refused(caller.get(f"/approvals/{approval.pk}"), 404, "not-found")
    refused(caller.decide(approval, "approve"), 404, "not-found")
    assert caller.get("/approvals").json() == {"items": [], "next": None}


def test_answers_are_kept_by_nobody(world):
    assert Caller(world.people["anna"]).get("/me")["Cache-Control"] == "no-store"


# -- reading ---------------------------------------------------------------------------


def test_one_request_is_shown_whole(world, approval):
    big = {"note": "<b>" * 1000, "deep": {"list": [1, 2.5, None, True]}}
    approval.arguments = json.dumps(big)
    approval.save()
    caller = Caller(world.people["dora"], READ)
    told = caller.get(f"/approvals/{approval.pk}").json()
    assert told["arguments"] == big
    assert told["rules"] == approval.rules
    assert told["terms"] == approval.terms
    assert told["votes"] == []
    assert told["requester"] == {"email": "alice@example.com", "name": "Alice"}
    assert told["server"]["id"] == world.server.public_id
    assert told["url"].endswith(f"/approvals/{approval.pk}/")


def test_a_list_has_no_arguments_and_takes_few_queries(world, approval):
    caller = Caller(world.people["anna"])
    caller.get("/approvals")
    with CaptureQueriesContext(connection) as queries:
        told = caller.get("/approvals").json()
    assert len(queries) <= 4, [query["sql"] for query in queries]
    assert len(told["items"]) == 1 + len(State)
    assert "arguments" not in told["items"][0]


def test_pages_follow_each_other_without_gap_or_repeat(world):
    same = timezone.now()
    rows = [make_approval(world.grant, State.DENIED) for _ in range(20)]
    for number, row in enumerate(rows):
        row.created_at = same - timedelta(seconds=number // 5)
    Approval.objects.bulk_create(rows)
    caller = Caller(world.people["anna"])
    seen: list[dict[str, Any]] = []
    path, query = "/approvals", {"limit": "7", "state": "denied"}
    while path:
        told = caller.get(path, **query).json()
        assert len(told["items"]) <= 7
        seen += told["items"]
        path, query = (told["next"] or "").partition(ROOT)[2], {}
        if len(seen) == 7:
            Approval.objects.bulk_create([make_approval(world.grant, State.DENIED)])
        path, _, rest = path.partition("?")
        query = dict(part.split("=") for part in rest.split("&")) if rest else {}
    ids = [each["id"] for each in seen]
    assert len(ids) == len(set(ids)) == 21
    assert {str(row.pk) for row in rows} <= set(ids)
    times = [each["created_at"] for each in seen]
    assert times == sorted(times, reverse=True)


def test_filters(world, approval):
    caller = Caller(world.people["anna"])

    def found(**query: object) -> int:
        return len(caller.get("/approvals", **query).json()["items"])

    assert found(state="pending") == 2
    assert found(tool="create_refund") == found(tool="create_refund", state="pending")
    assert found(tool="create_refund", state="denied") == 0
    assert found(grant=world.grant.pk, server=world.server.public_id) == 8
    assert found(grant=world.acme.pk) == 0
    assert found(server="another") == 0


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"state": "open"}, "state"),
        ({"grant": "1"}, "grant"),
        ({"grant": ""}, "grant"),
        ({"tool": ""}, "tool"),
        ({"tool": "a\0b"}, "tool"),
        ({"stat": "pending"}, "stat"),
        ({"ordering": "name"}, "ordering"),
        ({"state": ["pending", "denied"]}, "state"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "2010000000"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": "MjAyNi0wMS0wMSB4"}, "cursor"),
    ],
)
def test_a_wrong_parameter_is_named(world, query, parameter):
    answer = Caller(world.people["anna"]).get("/approvals", **query)
    told = refused(answer, 400, "invalid")
    assert [each["parameter"] for each in told["errors"]] == [parameter]


# -- deciding --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "state"), [("approve", State.APPROVED), ("deny", State.DENIED)]
)
def test_a_decision_is_taken(world, approval, decision, state):
    answer = Caller(world.people["anna"]).decide(approval, decision, "As agreed.")
    assert answer.status_code == 200
    told = answer.json()
    assert told["state"] == state
    (vote,) = told["votes"]
    assert vote["by"] == "anna@example.com"
    assert (vote["decision"], vote["reason"], vote["via"]) == (
        decision,
        "As agreed.",
        Via.API,
    )
    approval.refresh_from_db()
    assert approval.state == state
    # A token is no fresh sign-in, whenever it was minted.
    assert not Vote.objects.for_organization(world.acme).get(approval=approval).fresh


def test_the_same_again_is_answered_as_it_stands(world, approval):
    caller = Caller(world.people["anna"])
    first = caller.decide(approval, "approve", "Fine.")
    again = caller.decide(approval, "approve", "Fine, again.")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    rows = Approval.objects.for_organization(world.acme).filter(pk=approval.pk)
    rows.update(state=State.USED)
    assert caller.decide(approval, "approve").json()["state"] == State.USED
    assert (
        Vote.objects.for_organization(world.acme).filter(approval=approval).count() == 1
    )


def test_another_word_of_the_same_person_is_refused(world, approval):
    caller = Caller(world.people["anna"])
    caller.decide(approval, "approve")
    told = refused(caller.decide(approval, "deny"), 409, "decided")
    assert told["state"] == State.APPROVED
    assert [(v["by"], v["decision"]) for v in told["votes"]] == [
        ("anna@example.com", "approve")
    ]


def test_whoever_is_later_is_told_who_decided(world, approval):
    Caller(world.people["bob"]).decide(approval, "deny", "No.")
    told = refused(
        Caller(world.people["anna"]).decide(approval, "deny"), 409, "decided"
    )
    assert told["state"] == State.DENIED
    assert told["votes"][0]["by"] == "bob@example.com"


def test_a_quorum_takes_several(world, approval):
    approval.terms = [{"approvers": ["role:approver"], "quorum": 2}]
    approval.save()
    first = Caller(world.people["anna"]).decide(approval, "approve").json()
    assert first["state"] == State.PENDING
    again = Caller(world.people["anna"]).decide(approval, "approve").json()
    assert again["state"] == State.PENDING and len(again["votes"]) == 1
    last = Caller(world.people["bob"]).decide(approval, "approve").json()
    assert last["state"] == State.APPROVED


def test_it_is_over_when_its_time_is(world, approval):
    approval.expires_at = timezone.now() - timedelta(seconds=1)
    approval.save()
    told = Caller(world.people["anna"]).decide(approval, "approve")
    refused(told, 409, "decided")


def still_open(approval: Approval) -> bool:
    approval.refresh_from_db()
    votes = Vote.objects.for_organization(approval.organization_id)
    undecided = not votes.filter(approval=approval).exists()
    return approval.state == State.PENDING and undecided


def test_deciding_needs_its_scope(world, approval):
    answer = Caller(world.people["anna"], READ).decide(approval, "approve")
    assert refused(answer, 403, "missing-scope")["scope"] == DECIDE
    assert still_open(approval)


def test_no_decision_while_the_organization_takes_none(world, approval):
    caller = Caller(world.people["anna"])
    world.acme.api_decisions = False
    world.acme.save(update_fields=["api_decisions"])
    refused(caller.decide(approval, "approve"), 403, "decisions-off")
    assert still_open(approval)


def test_a_critical_tool_is_decided_on_its_page(world, approval):
    approval.critical = True
    approval.save()
    for decision in ("approve", "deny"):
        answer = Caller(world.people["anna"]).decide(approval, decision)
        refused(answer, 403, "page-only")
    assert still_open(approval)


@pytest.mark.parametrize("allowed", [False, True])
def test_a_call_of_ones_own_grant_is_not_decided_over_the_api(world, approval, allowed):
    approval.self_approval = allowed
    approval.save()
    answer = Caller(world.people["alice"]).decide(approval, "approve")
    refused(answer, 403, "page-only" if allowed else "not-approver")
    assert still_open(approval)


def test_whom_the_terms_do_not_name_has_no_word(world, approval):
    approval.terms = [{"approvers": ["role:admin"], "quorum": 1}]
    approval.save()
    answer = Caller(world.people["anna"]).decide(approval, "approve")
    refused(answer, 403, "not-approver")
    assert still_open(approval)


def test_rights_are_those_of_this_moment(world, approval):
    caller = Caller(world.people["anna"])
    Membership.objects.for_organization(world.acme).filter(
        pk=caller.membership.pk
    ).update(role=Role.VIEWER)
    refused(caller.decide(approval, "approve"), 403, "forbidden")
    assert still_open(approval)


def test_a_delegate_decides_in_the_place_of_another(world, approval):
    """And the vote says so."""
    approval.terms = [{"approvers": ["bob@example.com"], "quorum": 1}]
    approval.save()
    bob, anna = world.people["bob"], world.people["anna"]
    Delegation.objects.create(
        organization=world.acme,
        giver=bob,
        to=anna,
        ends_at=timezone.now() + timedelta(hours=1),
    )
    (vote,) = Caller(anna).decide(approval, "approve").json()["votes"]
    assert (vote["by"], vote["place_of"]) == ("anna@example.com", "bob@example.com")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/decision"]),
        ({"decision": "maybe"}, ["/decision"]),
        ({"decision": ["approve"]}, ["/decision"]),
        ({"decision": True}, ["/decision"]),
        ({"decision": None}, ["/decision"]),
        ({"decision": "approve", "reason": 1}, ["/reason"]),
        ({"decision": "approve", "reason": None}, ["/reason"]),
        ({"decision": "approve", "reason": "x" * 1001}, ["/reason"]),
        ({"decision": "approve", "reason": "a\0b"}, ["/reason"]),
        ({"decision": "approve", "a/b~": 1, "c": 2}, ["/a~1b~0", "/c"]),
        ([], [""]),
        ("approve", [""]),
        (None, [""]),
    ],
)
def test_a_wrong_body_is_told_where(world, approval, body, pointers):
    answer = Caller(world.people["anna"]).post(approval, json.dumps(body))
    told = refused(answer, 400, "invalid")
    assert [each["pointer"] for each in told["errors"]] == pointers
    assert all(each["detail"] for each in told["errors"])
    assert still_open(approval)


@pytest.mark.parametrize(
    "body",
    [
        *("{", "", "\xff", '{"decision": NaN}', '{"a": 1} x', "[" * 10_000),
        '{"decision": "deny", "decision": "approve"}',
    ],
)
def test_a_body_that_is_no_json(world, approval, body):
    answer = Caller(world.people["anna"]).post(approval, body.encode("latin-1"))
    assert answer.status_code == 400
    assert still_open(approval)


def test_a_body_has_a_bound(world, approval):
    caller = Caller(world.people["anna"])
    full = json.dumps({"decision": "deny"}).ljust(api_access.MOST_BYTES)
    refused(caller.post(approval, full + " "), 413, "too-large")
    assert still_open(approval)
    assert caller.post(approval, full).status_code == 200


# -- the wire --------------------------------------------------------------------------


def test_other_types_and_methods(world, approval):
    caller = Caller(world.people["anna"])
    form = caller.post(approval, "decision=deny", "application/x-www-form-urlencoded")
    refused(form, 415, "not-json")
    answer = caller.client.get(f"{ROOT}/me", headers={"Accept": "text/html"})
    refused(checked("get", "/me", answer), 406, "not-acceptable")
    for method in ("put", "patch", "delete", "options", "post"):
        answer = getattr(caller.client, method)(f"{ROOT}/approvals")
        refused(answer, 405, "no-such-method")
        assert answer["Allow"] == "GET, HEAD"
    decision = f"{ROOT}/approvals/{approval.pk}/decision"
    assert caller.client.get(decision)["Allow"] == "POST"
    assert caller.client.head(f"{ROOT}/me").status_code == 200
    assert still_open(approval)


@pytest.mark.parametrize(
    "path",
    [
        *("", "v1", "v1/", "v2/me", "v1/me/", "v1/approvals/", "v1/approvals/1"),
        *("v1/approvals/00000000-0000-0000-0000-000000000000x", "v1/%00", "x\ny"),
    ],
)
def test_an_address_that_is_none(path):
    for method in ("get", "post", "delete"):
        refused(getattr(Client(), method)(f"/api/{path}"), 404, "not-found")


def test_our_own_failures_are_problems_too_and_logged(world, monkeypatch, caplog):
    caller = Caller(world.people["anna"])

    def fail(*given: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(approvals_api, "_check_parameters", fail)
    answer = caller.get("/approvals")
    assert "secret detail" not in answer.content.decode()
    refused(answer, 500, "failed")
    assert "secret detail" in caplog.text


def test_a_database_that_does_not_answer(world, monkeypatch):
    caller = Caller(world.people["anna"])

    def fail(*given: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(approvals_api, "_check_parameters", fail)
    answer = caller.get("/approvals")
    refused(answer, 503, "unavailable")
    assert answer["Retry-After"] == "5"


def test_nobody_gets_in_uncounted(world, settings):
    caller = Caller(world.people["anna"])
    settings.CACHES = settings.CACHES | {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    }
    refused(caller.get("/me"), 503, "unavailable")


def test_a_token_has_so_many_requests_a_minute(world, approval, monkeypatch):
    """Refused ones count; other tokens go on."""
    now = timezone.now().timestamp() // 60 * 60 + 1_000_020
    monkeypatch.setattr("accounts.api_access.time.time", lambda: now)
    monkeypatch.setattr(api_access, "MOST_A_MINUTE", 3)
    one, two = Caller(world.people["anna"]), Caller(world.people["anna"], READ)
    assert one.get("/me").status_code == 200
    refused(one.get("/approvals", state="x"), 400, "invalid")
    assert one.get("/me").status_code == 200
    answer = one.decide(approval, "approve")
    refused(answer, 429, "too-many")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert still_open(approval)
    for _ in range(3):
        refused(two.decide(approval, "approve"), 403, "missing-scope")
    refused(two.decide(approval, "approve"), 429, "too-many")
    now += int(answer["Retry-After"])
    assert one.get("/me").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_it_is_the_same_over_asgi(world, approval):
    """As in production, where a body comes in pieces from the edge."""
    caller = Caller(world.people["anna"])
    headers = {"Authorization": f"Bearer {caller.token}"}
    path = f"{ROOT}/approvals/{approval.pk}/decision"

    async def ask() -> list[Any]:
        client = AsyncClient()
        large = "x" * (api_access.MOST_BYTES + 1)
        sent: Any = {"content_type": JSON, "headers": headers}
        return [
            await client.post(path, large, **sent),
            await client.post(path, {"decision": "deny"}, **sent),
            await client.get(f"{ROOT}/approvals/{approval.pk}", headers=headers),
            await client.get("/api/v2"),
        ]

    large, denied, read, unknown = async_to_sync(ask)()
    refused(large, 413, "too-large")
    assert (denied.status_code, read.json()) == (200, denied.json())
    refused(unknown, 404, "not-found")


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_decides(world, approval):
    """The others are told who it was."""
    people = [world.people["bob"], world.people["adam"], world.people["anna"]]
    people += [member(world.acme, f"more{n}", Role.APPROVER) for n in range(5)]
    for each in people:
        each.organization.api_decisions = True
    callers = [Caller(each) for each in people]
    callers[0].get("/me")  # reads the document of the API, which is no work for many
    answers: list[Any] = []
    start = threading.Barrier(len(callers))

    def work(caller: Caller) -> None:
        start.wait(10)
        answers.append(caller.decide(approval, "approve"))
        connection.close()

    threads = [threading.Thread(target=work, args=(each,)) for each in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [409] * (len(callers) - 1)
    (winner,) = [a.json() for a in answers if a.status_code == 200]
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["votes"][0]["by"] == winner["votes"][0]["by"]

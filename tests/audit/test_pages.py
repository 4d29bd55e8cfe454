"""The pages of the activity log, as their readers see them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, Organization
from audit import activity
from audit.ids import first_id, time_of
from audit.models import Quarantined, Record
from audit.passages import indented, passage
from policies.models import Policy, PolicyVersion
from servers.models import Server

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]

APPROVAL = uuid.UUID(int=77)
DOCUMENT = """{
  "version": "1",
  "default": "deny",
  "hide": ["drop_*"],
  "tools": {
    "create_refund": {
      "require": [
        {"path": "args.currency", "op": "eq", "value": "eur"}
      ],
      "deny_if": [
        {"conditions": [{"path": "args.amount", "op": "gt", "value": 50000}],
         "on_deny": "Over the hard cap."}
      ]
    },
    "a/b~c": {"action": "deny"}
  }
}
"""
_numbers = iter(range(1, 10**9))


def made(organization: Organization, **changed: Any) -> Record:
    """A record a millisecond younger than the one made before."""
    at = timezone.now() - timedelta(hours=1) + timedelta(milliseconds=next(_numbers))
    id = uuid.UUID(int=first_id(at).int | 7 << 76 | next(_numbers))
    given: dict[str, Any] = {
        "id": id,
        "time": time_of(id),
        "organization_id": organization.pk,
        "shard": 7,
        "grant_label": "support-bot",
        "server_name": "payments",
        "member": "alice@example.com",
        "method": "tools/call",
        "name": "create_refund",
        "client": "agent",
        "decision": "allow",
        "outcome": "ok",
        "duration_ms": 12.3,
    }
    return Record.objects.create(**(given | changed))


def shown(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


# The list


def test_without_calls_it_says_what_will_be_here(
    sign_in: SignIn, dora: Membership
) -> None:
    assert "No calls yet" in shown(sign_in(dora).get("/activity/"))


def test_calls_newest_first_with_what_was_decided(
    sign_in: SignIn, dora: Membership, acme: Organization
) -> None:
    made(acme, name="first_call")
    made(
        acme,
        name="second_call",
        decision="deny",
        rule="/tools/second_call/action",
        outcome="refused",
        would_decision="limit",
    )
    page = shown(sign_in(dora).get("/activity/"))
    assert page.index("second_call") < page.index("first_call")
    for word in (
        "denied",
        "/tools/second_call/action",
        "not forwarded",
        "would be limited",
    ):
        assert word in page


def test_a_stranger_sees_nothing_of_it(
    sign_in: SignIn, charlie: Membership, acme: Organization
) -> None:
    record = made(acme, name="secret_tool")
    client = sign_in(charlie)
    assert "secret_tool" not in shown(client.get("/activity/"))
    assert "secret_tool" not in shown(client.get(f"/activity/?q={record.id}"))
    assert client.get(f"/activity/{record.id}/").status_code == 404
    assert Client().get(f"/activity/{record.id}/").status_code == 302


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("server=payments", {"a", "b", "c"}),
        ("server=tickets", {"d"}),
        ("grant=ops", {"b"}),
        ("tool=c", {"c"}),
        ("decision=deny", {"b"}),
        ("outcome=open", {"c"}),
        ("outcome=refused", {"b"}),
        ("method=prompts/get", {"d"}),
        ("q=SUPPORT", {"a", "c", "d"}),
        ("q=%25", set()),
        ("since=2h", {"a", "b", "c", "d"}),
        ("until=2h", set()),
        ("server=payments&decision=allow&outcome=ok", {"a"}),
    ],
)
def test_filters_by_url(
    sign_in: SignIn,
    dora: Membership,
    acme: Organization,
    query: str,
    found: set[str],
) -> None:
    made(acme, name="a")
    made(acme, name="b", grant_label="ops", decision="deny", outcome="refused")
    made(acme, name="c", outcome=None)
    made(acme, name="d", server_name="tickets", method="prompts/get")
    response = sign_in(dora).get(f"/activity/?{query}")
    assert {record.name for record in response.context["page"].records} == found
    if not found:
        assert "No call fits" in shown(response)


def test_a_decision_id_is_found_by_the_search(
    sign_in: SignIn, dora: Membership, acme: Organization
) -> None:
    record = made(acme)
    made(acme)
    response = sign_in(dora).get("/activity/", {"q": str(record.id)})
    assert [one.id for one in response.context["page"].records] == [record.id]


def test_all_calls_of_an_approval_are_found_by_its_id(
    sign_in: SignIn, dora: Membership, acme: Organization
) -> None:
    calls = [made(acme, approval_id=APPROVAL) for _ in range(2)]
    made(acme)
    response = sign_in(dora).get("/activity/", {"q": str(APPROVAL)})
    found = {one.id for one in response.context["page"].records}
    assert found == {one.id for one in calls}


@pytest.mark.parametrize("query", ["since=yesterday", "decision=x", "q=%00"])
def test_a_filter_that_is_none_is_told(
    sign_in: SignIn, dora: Membership, acme: Organization, query: str
) -> None:
    made(acme)
    page = shown(sign_in(dora).get(f"/activity/?{query}"))
    assert "Nothing was looked up" in page


@pytest.mark.parametrize("place", ["x", "", str(uuid.UUID(int=2**128 - 1))])
def test_a_place_that_is_none_is_the_newest_page(
    sign_in: SignIn, dora: Membership, acme: Organization, place: str
) -> None:
    made(acme)
    response = sign_in(dora).get("/activity/", {"before": place})
    assert len(response.context["page"].records) == 1


def test_pages_by_keyset_both_ways_without_gap_or_repeat(
    sign_in: SignIn, dora: Membership, acme: Organization, other: Organization
) -> None:
    expected = [made(acme, name="kept").id for _ in range(2 * activity.PAGE + 7)][::-1]
    made(acme, name="filtered away")
    made(other, name="kept")
    client = sign_in(dora)
    response = client.get("/activity/?tool=kept")
    seen, steps = [one.id for one in response.context["page"].records], [""]
    while older := response.context["page"].older:
        assert "tool=kept" in older
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.get(f"/activity/{older}")
        assert not any(
            "OFFSET" in query["sql"]
            or 'COUNT(*) AS "__count" FROM "audit_record"' in query["sql"]
            for query in queries
        )
        seen += [one.id for one in response.context["page"].records]
        steps.append(older)
    assert seen == expected
    assert len(steps) == 3
    back = [one.id for one in response.context["page"].records]
    while newer := response.context["page"].newer:
        response = client.get(f"/activity/{newer}")
        back = [one.id for one in response.context["page"].records] + back
    assert back == expected


def test_calls_of_one_millisecond_are_all_shown(
    sign_in: SignIn, dora: Membership, acme: Organization
) -> None:
    first = first_id(timezone.now()).int | 7 << 76
    ids = [uuid.UUID(int=first + n) for n in range(activity.PAGE + 20)]
    for id in ids:
        made(acme, id=id, time=time_of(id))
    client = sign_in(dora)
    one = client.get("/activity/").context["page"]
    two = client.get(f"/activity/{one.older}").context["page"]
    assert [record.id for record in one.records + two.records] == ids[::-1]


def test_a_page_takes_few_queries_and_the_index(
    sign_in: SignIn, dora: Membership, acme: Organization
) -> None:
    for _ in range(60):
        made(acme)
    client = sign_in(dora)
    with CaptureQueriesContext(connection) as queries:
        shown(client.get("/activity/"))
    assert len(queries) <= 12
    (sql,) = [q["sql"] for q in queries if 'FROM "audit_record"' in q["sql"]]
    with connection.cursor() as cursor:
        # So few rows are as cheap to sort as to find in order.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan" in plan and "Sort" not in plan, plan


def test_a_search_that_takes_too_long_ends_and_says_so(
    sign_in: SignIn,
    dora: Membership,
    acme: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made(acme)
    monkeypatch.setattr(activity, "TIMEOUT_MS", 50)
    slow = "(SELECT pg_sleep(5)) IS NULL"
    monkeypatch.setattr(
        activity,
        "records_of",
        lambda own: Record.objects.for_organization(own).extra(where=[slow]),  # noqa: S610
    )
    page = shown(sign_in(dora).get("/activity/?q=x"))
    assert "longer than three seconds" in page


def test_quarantined_entries_are_counted_and_shown(
    sign_in: SignIn, dora: Membership, acme: Organization, other: Organization
) -> None:
    for n, own in enumerate([acme, acme, other]):
        Quarantined.objects.create(
            organization_id=own.pk, shard=7, entry=f"{n}-0", fields=b"{}", reason="x"
        )
    assert "2 entries could not be read" in shown(sign_in(dora).get("/activity/"))


# One record


@pytest.fixture
def version(acme: Organization) -> Iterator[PolicyVersion]:
    server = Server.objects.create(organization=acme, name="payments", url="http://x")
    policy = Policy.objects.create(organization=acme, server=server, name="support")
    yield PolicyVersion.objects.create(
        organization=acme, policy=policy, number=3, text=DOCUMENT, digest="d" * 64
    )


def of(version: PolicyVersion) -> dict[str, Any]:
    return {
        "policy_id": version.policy_id,
        "policy_version": version.number,
        "policy_digest": version.digest,
    }


def test_the_rule_that_decided_is_shown_in_the_policys_text(
    sign_in: SignIn, dora: Membership, acme: Organization, version: PolicyVersion
) -> None:
    record = made(
        acme,
        decision="deny",
        rule="/tools/create_refund/deny_if/0",
        reason="Over the hard cap.",
        would_decision="deny",
        would_rule="/tools/a~1b~0c/action",
        arguments='{"amount":60000.10,"currency":"eur"}',
        **of(version),
    )
    page = shown(sign_in(dora).get(f"/activity/{record.id}/"))
    assert "version 3 of <bdi>support</bdi>, lines 11 to 12" in page
    assert "version 3 of <bdi>support</bdi>, line 15" in page
    assert page.count('class="line decides"') == 3
    assert "The rule that would have decided" in page
    assert "60000.10" in page
    assert "Over the hard cap." in page


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("(default deny)", "line 3"),
        ("(hidden)", "line 4"),
        ("(killed)", "A kill switch was on."),
        ("/tools/gone/action", "/tools/gone/action"),
    ],
)
def test_rules_without_a_pointer_are_explained(
    sign_in: SignIn,
    dora: Membership,
    acme: Organization,
    version: PolicyVersion,
    rule: str,
    said: str,
) -> None:
    record = made(acme, decision="deny", rule=rule, **of(version))
    assert said in shown(sign_in(dora).get(f"/activity/{record.id}/"))


def test_it_outlives_what_it_names(
    sign_in: SignIn, dora: Membership, acme: Organization, version: PolicyVersion
) -> None:
    record = made(acme, rule="/default", **of(version))
    policy = version.policy
    Policy.objects.for_organization(acme).update(current=None)
    PolicyVersion.objects.for_organization(acme).filter(pk=version.pk).delete()
    policy.delete()
    page = shown(sign_in(dora).get(f"/activity/{record.id}/"))
    assert "deleted" in page


def test_limits_and_rules_that_asked(
    sign_in: SignIn, dora: Membership, acme: Organization
) -> None:
    limit = {
        "rule": "/tools/x/limits/0",
        "counter": "refunded",
        "scope": "grant",
        "window": 86_400,
        "max": 100_000_500_000,
        "amount": 2_500_000,
        "by": None,
        "watched": True,
        "full": True,
        "bucket": None,
    }
    record = made(
        acme,
        decision="require_approval",
        limits=orjson.dumps([limit]).decode(),
        asks=orjson.dumps([["/a", "Large"], ["/b", None]]).decode(),
        arguments_digest="e" * 64,
        arguments_length=20_000,
        arguments_read='{"args.amount":1.0}',
        approval_id=APPROVAL,
    )
    page = shown(sign_in(dora).get(f"/activity/{record.id}/"))
    assert f'href="/approvals/{APPROVAL}/"' in page
    for text in ("100,000.5 a day", "2.5", "only watched", "e" * 64, "1.0", "Large"):
        assert text in page


def test_a_record_takes_few_queries(
    sign_in: SignIn, dora: Membership, acme: Organization, version: PolicyVersion
) -> None:
    record = made(
        acme,
        rule="/default",
        server_id=version.policy.server_id,
        grant_id=uuid.uuid4(),
        **of(version),
    )
    client = sign_in(dora)
    with CaptureQueriesContext(connection) as queries:
        shown(client.get(f"/activity/{record.id}/"))
    assert len(queries) <= 12


@pytest.mark.parametrize(
    "id", [uuid.UUID(int=2**128 - 1), uuid.UUID(int=0), uuid.uuid4()]
)
def test_ids_of_no_call_are_not_found(
    sign_in: SignIn, dora: Membership, id: uuid.UUID
) -> None:
    assert sign_in(dora).get(f"/activity/{id}/").status_code == 404


HOSTILE = "</code><script>alert(1)</script>\"'{{ x }}\u202e\x1b"


def test_hostile_names_are_inert(
    sign_in: SignIn, dora: Membership, acme: Organization
) -> None:
    texts = (
        *("grant_label", "server_name", "member", "method", "name", "client"),
        *("rule", "reason", "would_rule", "detail", "revision"),
    )
    record = made(
        acme,
        **dict.fromkeys(texts, HOSTILE),
        decision="deny",
        would_decision="deny",
        # What is copied must be what was sent: the copy button keeps the text as it is.
        arguments=orjson.dumps({HOSTILE[:-2]: 1}).decode(),
    )
    client = sign_in(dora)
    assert "<script>alert" not in shown(client.get("/activity/", {"q": HOSTILE}))
    for url in ("/activity/", f"/activity/{record.id}/"):
        page = shown(client.get(url))
        assert "<script>alert" not in page
        assert "\u202e" not in page and "\x1b" not in page


def test_only_an_outcome_so_far(
    sign_in: SignIn, dora: Membership, acme: Organization
) -> None:
    record = Record.objects.create(
        id=(id := uuid.UUID(int=first_id(timezone.now()).int | 7 << 76)),
        time=time_of(id),
        organization_id=acme.pk,
        outcome="ok",
    )
    client = sign_in(dora)
    assert "not known yet" in shown(client.get("/activity/"))
    assert "Only the outcome" in shown(client.get(f"/activity/{record.id}/"))


# Passages


def test_a_document_on_one_line_is_rewritten_to_show_a_rule() -> None:
    wide = orjson.dumps({"x": "y" * 500, "tools": {"t": {"action": "deny"}}}).decode()
    found = passage(wide, "/tools/t/action")
    assert found is not None and found.rewritten
    (line,) = [line for line in found.lines if line.decides]
    assert line.text.strip() == '"action": "deny"'


def test_a_long_rule_is_cut() -> None:
    tools = ",\n".join(f'"t{n}": {{}}' for n in range(500))
    found = passage(f'{{"tools": {{\n{tools}\n}}}}', "/tools")
    assert found is not None and found.cut
    assert len(found.lines) < 80


@pytest.mark.parametrize("rule", ["", "/nope", "/tools/x/9", "(killed)", "tools"])
def test_what_stands_nowhere(rule: str) -> None:
    assert passage('{"tools": {"x": []}}', rule) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", "{}"),
        ("[]", "[]"),
        ('{"a":[],"b":{}}', '{\n  "a": [],\n  "b": {}\n}'),
        ("[1.50,1e400]", "[\n  1.50,\n  1e400\n]"),
        ('{"a{":"}\\",["}', '{\n  "a{": "}\\",["\n}'),
        ('[[1],{"a":true}]', '[\n  [\n    1\n  ],\n  {\n    "a": true\n  }\n]'),
        ("12345678901234567890.10", "12345678901234567890.10"),
    ],
)
def test_indented_keeps_every_digit(text: str, expected: str) -> None:
    assert indented(text) == expected

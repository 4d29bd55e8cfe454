"""A new value, ten times the usual amount: told apart from what is as always."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organization
from approvals import unusual
from approvals.unusual import Subject, compare, earlier
from audit import partitions
from audit.ids import first_id, time_of
from audit.models import Record
from tests.cases import cases

NOW = timezone.now()
USUAL = [{"amount": n, "currency": "eur"} for n in (900, 1000, 1000, 1100, 5000)]


def told(arguments: object, before: list[Any]) -> list[tuple[str, ...]]:
    texts = [json.dumps(each) for each in before]
    found = compare(json.dumps(arguments), texts).findings
    return [(each.kind, each.pointer, each.value) for each in found]


@cases(
    ("arguments", "expected"),
    [
        ({"amount": 1000, "currency": "eur"}, []),
        ({"amount": 10_000, "currency": "eur"}, [("much", "/amount", "10000")]),
        ({"amount": 9_999, "currency": "eur"}, [("new", "/amount", "9999")]),
        ({"amount": -10_000, "currency": "eur"}, [("much", "/amount", "-10000")]),
        ({"amount": 1000, "currency": "gbp"}, [("new", "/currency", '"gbp"')]),
        ({"amount": "1000", "currency": "eur"}, [("new", "/amount", '"1000"')]),
        ({"amount": 1000.0, "currency": "eur"}, []),
        ({"amount": True, "currency": "eur"}, [("new", "/amount", "true")]),
        ({"amount": None, "currency": "eur"}, [("new", "/amount", "null")]),
        ({"amount": [], "currency": "eur"}, [("new", "/amount", "[]")]),
        ({"amount": 1000}, [("left out", "/currency", "")]),
        (
            {"amount": 1000, "currency": "eur", "to": {"a/b": 1}},
            [("added", "/to/a~1b", "1")],
        ),
    ],
)
def test_one_call_beside_five(arguments, expected):
    assert told(arguments, USUAL) == expected


def test_how_many_times_the_usual_and_what_is_usual():
    (much,) = compare(
        '{"amount":25000,"currency":"eur"}', map(json.dumps, USUAL)
    ).findings
    assert (much.times, much.usual) == ("25", [("1000", 0)])
    (new,) = compare('{"amount":1000,"currency":"x"}', map(json.dumps, USUAL)).findings
    assert new.usual == [('"eur"', 5)]


def test_a_value_of_an_argument_that_always_differs_is_told_apart():
    before = [json.dumps({"id": f"ch_{n}", "currency": "eur"}) for n in range(9)]
    compared = compare('{"id":"ch_x","currency":"usd"}', before)
    assert [each.pointer for each in compared.striking] == ["/currency"]
    assert [each.pointer for each in compared.varying] == ["/id"]


def test_elements_of_a_list_are_compared_with_all_elements():
    before = [{"items": [{"price": 5}, {"price": 7}]}] * 3
    assert told({"items": [{"price": 7}, {"price": 5}, {"price": 7}]}, before) == []
    assert told({"items": [{"price": 5}, {"price": 70}]}, before) == [
        ("much", "/items/1/price", "70")
    ]


def test_a_value_that_stands_there_often_is_told_once():
    before = [{"to": ["a"]}] * 3
    assert told({"to": ["b"] * 50}, before) == [("new", "/to/0", '"b"')]


def test_two_calls_are_no_habit():
    compared = compare('{"amount":1000000}', map(json.dumps, USUAL[:2]))
    assert (compared.calls, compared.findings) == (2, ())


def test_no_digit_is_lost_and_no_number_is_too_large():
    before = ['{"n":12345678901234567890.1}'] * 3
    assert compare('{"n":12345678901234567890.1}', before).findings == []
    (new,) = compare('{"n":12345678901234567890.2}', before).findings
    assert new.value == "12345678901234567890.2"
    huge = "1" + "0" * 5000
    (much,) = compare(f'{{"n":{huge}}}', ['{"n":1}'] * 3).findings
    assert much.times == "very many"
    for exponent in ("1e999999999", "-1e999999999"):
        (much,) = compare(f'{{"n":{exponent}}}', ['{"n":1e-999999999}'] * 3).findings
        assert (much.kind, much.times) == ("much", "very many")
    assert compare('{"n":1e999999999}', ['{"n":9e999999998}'] * 3).findings != []


def test_zero_as_the_usual_amount_is_no_measure():
    assert told({"n": 5}, [{"n": 0}] * 3) == [("new", "/n", "5")]


def test_very_many_values_are_said_to_be_compared_partly():
    compared = compare(json.dumps({"n": list(range(5000))}), ['{"n":[1]}'] * 3)
    assert compared.partly
    assert len(compared.findings) == unusual.MOST_VALUES - 1


# Which calls


GRANT, OTHER = UUID(int=10), UUID(int=11)


def record(organization: UUID, age: timedelta = timedelta(hours=1), **more: Any) -> str:
    """Its arguments, which no other record has."""
    id = UUID(int=first_id(NOW - age).int | uuid4().int & (2**62 - 1))
    text = json.dumps({"id": str(id)})
    given = {
        "organization_id": organization,
        "grant_id": GRANT,
        "method": "tools/call",
        "name": "create_refund",
        "decision": "allow",
        "arguments": text,
    }
    Record.objects.create(time=time_of(id), id=id, **(given | more))
    return text


@pytest.fixture
def subject(acme: Organization) -> Iterator[Subject]:
    first = partitions.month_of(NOW - timedelta(days=32))
    with connection.cursor() as cursor:
        partitions.make(cursor, [first, partitions.next_month(first)])
    yield Subject(acme.pk, GRANT, "tools/call", "create_refund", NOW)


@pytest.mark.parametrize(
    "differs",
    [
        {"grant_id": OTHER},
        {"organization_id": OTHER},
        {"name": "create_charge"},
        {"method": "prompts/get"},
        {"decision": "deny"},
        {"decision": "require_approval"},
        {"decision": None},
        {"arguments": None},
    ],
)
def test_only_allowed_calls_of_this_grant_and_tool(subject, differs):
    kept = record(subject.organization_id)
    record(**({"organization": subject.organization_id} | differs))
    assert earlier(subject) == [kept]


def test_the_newest_of_thirty_days_and_none_that_came_later(subject, monkeypatch):
    organization = subject.organization_id
    record(organization, timedelta(days=31))
    record(organization, timedelta(hours=-1))
    older = record(organization, timedelta(days=20))
    newer = record(organization, timedelta(days=1))
    assert earlier(subject) == [newer, older]
    monkeypatch.setattr(unusual, "MOST_COMPARED", 1)
    assert earlier(subject) == [newer]


def test_looking_through_a_grants_calls_ends(subject, monkeypatch):
    organization = subject.organization_id
    record(organization, timedelta(hours=2))
    record(organization, name="other")
    assert len(earlier(subject)) == 1
    monkeypatch.setattr(unusual, "MOST_LOOKED_THROUGH", 1)
    assert earlier(subject) == []


def test_one_query_that_an_index_of_the_grant_answers(subject):
    with CaptureQueriesContext(connection) as queries:
        earlier(subject)
    assert len(queries) == 1
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "grant_id" in plan and "Index" in plan and "Sort" not in plan

"""Disputes: filed by members, one at a time, decided on the command line."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Membership
from catalog import disputes
from catalog.models import CatalogServer, CatalogTool, Dispute, DisputeState, Message

pytestmark = pytest.mark.django_db
PLACE = "/tools/some-files/drop/dispute/"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def listed(db: None) -> CatalogTool:
    server = CatalogServer.objects.create(
        slug="some-files", name="Some files", publisher="some", publisher_name="Some",
        source_kind="npm", source="some-files", tools_listed=1,
    )  # fmt: skip
    return CatalogTool.objects.create(
        server=server, slug="drop", name="drop", fingerprint="1" * 64,
        category="Destructive", severity="critical", classifier="1", publisher="some",
        verdict={"evidence": [], "signals": [], "confidence": 0.9, "described": True},
    )  # fmt: skip


def given(**changed: str) -> dict[str, str]:
    return {
        "category": "Read", "severity": "low", "reason": f"It only reads {EVIL}",
        "fingerprint": "1" * 64,
    } | changed  # fmt: skip


def told(*arguments: str) -> list[Any]:
    out = StringIO()
    call_command("catalog_disputes", *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def public(tool: CatalogTool) -> str:
    return Client().get(disputes.place(tool)).content.decode()


def test_a_member_disputes_and_the_operator_is_told(
    listed: CatalogTool, dora: Membership, sign_in: Any
) -> None:
    page = sign_in(dora).post(PLACE, given(), follow=True).content.decode()
    assert "The dispute is filed" in page
    assert "A dispute of this tool is open" in page
    (row,) = Dispute.objects.across_organizations()
    assert (row.organization, row.by) == (dora.organization, dora.user)
    assert (row.category, row.fingerprint) == ("Read", listed.fingerprint)
    (message,) = Message.objects.all()
    assert (message.email, message.mailed_at) == ("dora@example.com", None)
    assert "It says Destructive, critical; should be Read, low." in message.text
    assert message.page == "/tools/some-files/drop/"
    assert "1 open dispute of this verdict" in public(listed)


def test_there_is_one_open_dispute_of_a_tool_in_an_organization(
    listed: CatalogTool,
    dora: Membership,
    bob: Membership,
    charlie: Membership,
    sign_in: Any,
) -> None:
    sign_in(dora).post(PLACE, given())
    again = sign_in(bob).post(PLACE, given())
    assert again.status_code == 422
    assert "one at a time" in again.content.decode()
    assert sign_in(charlie).post(PLACE, given()).status_code == 302
    assert Message.objects.count() == 2
    page = sign_in(charlie).get(PLACE).content.decode()
    assert "by <bdi>Dora" not in page


BAD = [
    (given(category=""), "required"),
    (given(severity="extreme"), "valid choice"),
    (given(reason=""), "required"),
    (given(reason="a\x07b"), "control characters"),
    (given(category="Destructive", severity="critical"), "the verdict that it has"),
    (given(fingerprint="2" * 64), "changed meanwhile"),
]


@pytest.mark.parametrize(("sent", "said"), BAD)
def test_what_is_wrong_is_said(
    listed: CatalogTool, dora: Membership, sign_in: Any, sent: Any, said: str
) -> None:
    answer = sign_in(dora).post(PLACE, sent)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Dispute.objects.across_organizations().exists()


def test_nobody_who_is_not_signed_in_disputes(listed: CatalogTool) -> None:
    assert Client().post(PLACE, given()).status_code == 302
    assert not Dispute.objects.across_organizations().exists()


@pytest.mark.parametrize("do", ["accept", "reject"])
def test_the_operator_decides_once_with_an_answer(
    listed: CatalogTool, dora: Membership, sign_in: Any, do: str
) -> None:
    sign_in(dora).post(PLACE, given())
    (line,) = told()
    assert (line["state"], line["current"]) == ("open", True)
    assert line["should_be"] == ["Read", "low"]
    with pytest.raises(CommandError, match="an answer"):
        told(do, line["id"])
    (decided,) = told(do, line["id"], f"Because {EVIL}")
    assert decided["state"] == f"{do}ed"
    with pytest.raises(CommandError, match="No dispute"):
        told(do, line["id"], "Again")
    assert told() == []
    assert [each["state"] for each in told("--all")] == [f"{do}ed"]
    page = sign_in(dora).get(PLACE).content.decode()
    assert f"{do}ed" in page
    assert "Because &lt;script&gt;" in page
    assert "File the dispute" in page
    assert f"1 {do}ed" in public(listed)


def test_ids_that_are_none_are_refused(listed: CatalogTool) -> None:
    for wrong in ("x", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(CommandError, match="No dispute"):
            told("accept", wrong, "Yes")


def test_another_can_be_filed_once_it_is_decided(
    listed: CatalogTool, dora: Membership, sign_in: Any
) -> None:
    sign_in(dora).post(PLACE, given())
    row = Dispute.objects.across_organizations().get()
    disputes.decide(row.pk, DisputeState.REJECTED, "No.")
    assert sign_in(dora).post(PLACE, given()).status_code == 302
    assert Dispute.objects.across_organizations().count() == 2

"""The policy that is drafted for a server: each tool's choice, and its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import Role
from policies import beginnings, publishing
from policies.document import LARGEST
from policies.drafting import Start, first_draft
from policies.models import Policy
from policies.pinned import pinned
from policies.recommended import DOUBTFUL, EXECUTE, FINANCIAL
from servers.models import Origin
from tests.conftest import member
from tests.policies.web.conftest import tool
from tests.world import HOSTILE

PACE = {"window": "minute", "scope": "grant"}
CASES: list[tuple[str, bool, Any]] = [
    ("Read", False, {}),
    ("Write", False, {"limits": [{"counter": "t_rate", "max": 30, **PACE}]}),
    ("Other", False, {"limits": [{"counter": "t_rate", "max": 60, **PACE}]}),
    ("Execute", False, {"action": "require_approval", "reason": EXECUTE}),
    ("Financial", False, {"action": "require_approval", "reason": FINANCIAL}),
    ("Destructive", False, None),
    ("Read", True, {"action": "require_approval", "reason": DOUBTFUL}),
    ("Destructive", True, {"action": "require_approval", "reason": DOUBTFUL}),
]


@pytest.fixture
def two_who_decide(acme, alice, bob):
    return [alice, bob]


def judged(server, name, category, doubtful=False, **more):
    given = {"category": category, "verdict_origin": Origin.CLASSIFIER}
    return tool(server, name, judged_doubtful=doubtful, **given | more)


def draft(server) -> Any:
    text = first_draft(Start.RECOMMENDED, pinned(server), server.organization)
    return json.loads(text)


@pytest.mark.parametrize(("category", "doubtful", "entry"), CASES)
def test_each_category_has_its_choice(
    payments, two_who_decide, category, doubtful, entry
):
    judged(payments, "t", category, doubtful)
    made = draft(payments)
    assert made["tools"].get("t") == entry
    assert ("t" in made.get("hide", [])) == (entry is None)
    assert made["default"] == "deny"


def test_what_nobody_judged_asks(payments, two_who_decide):
    assert draft(payments)["tools"]["list_charges"]["reason"] == DOUBTFUL


def test_a_persons_word_is_not_doubted(payments, two_who_decide):
    judged(payments, "t", "Read", doubtful=True, verdict_origin=Origin.PERSON)
    assert draft(payments)["tools"]["t"] == {}


def test_a_tool_that_is_gone_is_not_named(payments, two_who_decide):
    judged(payments, "t", "Read", listed=False)
    assert "t" not in draft(payments)["tools"]


def test_who_is_alone_may_approve_and_is_told(payments, alice, support):
    made = draft(payments)
    assert made["tools"]["list_charges"]["approval"] == {"self_approval": True}
    assert "self_approval" in made["description"]
    member(payments.organization, "anna", Role.APPROVER)
    made = draft(payments)
    assert "approval" not in made["tools"]["list_charges"]
    assert "self_approval" not in made["description"]


def test_hostile_names_leave_a_valid_document(payments, support, two_who_decide):
    for number, category in enumerate(("Read", "Write", "Destructive")):
        judged(payments, f"{HOSTILE}{number}", category)
        judged(payments, f"*?\\{number}", category)
        judged(payments, f'*\n"{"y" * 200}{number}', category)
    text = first_draft(Start.RECOMMENDED, pinned(payments), payments.organization)
    checked = publishing.check(text, support, None)
    assert checked.problems == ()
    assert "\\*\\?\\\\0" in json.loads(text)["tools"]


def test_a_server_of_very_many_tools_has_a_valid_draft_too(
    payments, support, two_who_decide
):
    for number in range(2100):
        judged(payments, f"tool_{number:05d}", "Execute")
    text = first_draft(Start.RECOMMENDED, pinned(payments), payments.organization)
    assert len(text.encode()) <= LARGEST
    assert "of 2103 tools are named" in json.loads(text)["description"]
    assert publishing.check(text, support, None).problems == ()


# -- with a server that is added -------------------------------------------------------


def test_a_new_server_begins_with_a_draft(payments, alice):
    beginnings.begin(payments, alice.user)
    beginnings.begin(payments, alice.user)
    rows = Policy.objects.for_organization(payments.organization).order_by("created_at")
    names = [row.name for row in rows]
    assert names == ["payments – recommended", "payments – recommended 2"]
    assert rows[0].current is None
    assert rows[0].draft_by == alice.user
    (offer,) = beginnings.offered(payments)
    assert offer.url == f"/policies/{rows[0].pk}/"
    publishing.publish_text(rows[0], '{"version": "1", "default": "allow"}', None)
    assert beginnings.offered(payments) == []


def test_the_longest_name_of_a_server_leaves_room(payments, alice):
    payments.name = "n" * 100
    beginnings.begin(payments, alice.user)
    name = Policy.objects.for_organization(payments.organization).get().name
    assert name == "n" * 86 + " – recommended"


# -- in the editor ---------------------------------------------------------------------


def test_the_editor_says_why_and_leads_to_the_evidence(sign_in, payments, support, bob):
    row = judged(payments, "t", "Destructive")
    page = sign_in(bob).get(f"/policies/{support.pk}/").content.decode()
    assert "Recommended: hide. It deletes or stops something" in page
    assert f'href="/servers/{payments.public_id}/tools/{row.pk}/#verdict"' in page

"""Inbox, export and figures; time-limited approvals; delegation; drafts."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import GenerationChange, Membership, Organization, Role
from approvals import export, inbox, opening_time
from approvals.models import Approval, Delegation, State, Via, Vote, Waiver
from approvals.waiving import Wish, equality
from policies.models import Policy
from tests.approvals.conftest import FRESH, signed_in
from tests.approvals.office import DOCUMENT, REFUND, Office
from tests.approvals.test_pages import state, text, url
from tests.conftest import member
from tests.world import HOSTILE


@pytest.fixture
def acme(office: Office) -> Organization:
    return office.acme


def listed(client: Client, query: str = "") -> list[str]:
    """Ids of the requests in a list, in its order."""
    answer = client.get(f"/approvals/{query}")
    assert answer.status_code == 200
    return [str(row.pk) for row in answer.context["page"].rows]


def ids(*rows: Approval) -> list[str]:
    return [str(row.pk) for row in rows]


# Lists


def test_what_waits_stands_in_the_order_in_which_it_expires(office):
    late, soon = office.refund(), office.refund(arguments={"n": 1}, expires_in=60)
    client = signed_in(office.anna)
    assert listed(client) == ids(soon, late)
    assert "Waiting 2" in text(client.get("/approvals/"))


def test_each_is_in_one_tab(office):
    rows = {}
    for number, each in enumerate(State):
        row = rows[each] = office.refund(arguments={"n": number})
        row.state, row.usable_until = each, timezone.now() + timedelta(minutes=5)
        row.save(update_fields=["state", "usable_until"])
    late, unused = (office.refund(arguments={"n": n}) for n in (90, 91))
    office.pass_time(late, 61)
    office.vote(unused, office.anna)
    office.pass_time(unused, 61)
    client = signed_in(office.anna)
    tabs = {tab: set(listed(client, f"?state={tab}")) for tab in inbox.TABS}
    assert tabs == {
        "pending": {*ids(rows[State.PENDING])},
        "decided": {
            *ids(rows[State.APPROVED], rows[State.USED]),
            *ids(rows[State.DENIED], rows[State.VOID]),
        },
        "expired": {
            *ids(rows[State.EXPIRED], rows[State.CANCELLED], late, unused),
        },
    }
    assert listed(client, "?state=bogus") == listed(client)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ch_one", [0]),
        ("q=PAYMENTS", [0, 1, 2]),
        ("q=other-grant", [2]),
        ("grant=bot", [0, 1]),
        ("grant=nope", []),
        ("tool=create_refund&server=payments", [0, 1, 2]),
        ("q=%00", []),
    ],
)
def test_filters_by_address(office, query, found):
    other = office.make_grant("other-grant")
    rows = [
        office.refund(arguments={"charge": "ch_one"}),
        office.refund(arguments={"charge": "ch_two"}),
        office.refund(grant_id=other.pk),
    ]
    client = signed_in(office.anna)
    assert set(listed(client, f"?{query}")) == set(ids(*(rows[n] for n in found)))


def test_an_id_is_found(office):
    rows = [office.refund(arguments={"n": n}) for n in range(2)]
    assert listed(signed_in(office.anna), f"?q={rows[1].pk}") == ids(rows[1])


@pytest.mark.parametrize("tab", ["pending", "decided"])
def test_pages_hold_each_row_once(office, tab, monkeypatch):
    monkeypatch.setattr(inbox, "PAGE", 3)
    office.acme.pending_most = 20
    office.acme.save(update_fields=["pending_most"])
    rows = [office.refund(arguments={"n": n}) for n in range(7)]
    if tab == "decided":
        for row in rows:
            office.vote(row, office.anna)
    client, query, seen = signed_in(office.anna), f"?state={tab}", []
    while query:
        seen += listed(client, query)
        query = client.get(f"/approvals/{query}").context["page"].older
    assert sorted(seen) == sorted(ids(*rows))


def test_a_list_takes_few_queries(office):
    office.acme.pending_most = 30
    office.acme.save(update_fields=["pending_most"])
    for n in range(20):
        office.refund(arguments={"n": n}, terms=[(["role:approver"], 2)])
    client = signed_in(office.adam)
    for page in ("", "?state=decided", "figures/", "waivers/", "delegations/"):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/approvals/{page}")
        assert len(queries) <= 12, (page, len(queries))


def test_the_frame_counts_what_waits_on_every_page(office):
    office.refund()
    late = office.refund(arguments={"n": 1})
    office.pass_time(late, 61)
    client = signed_in(office.anna)
    for page in ("/", "/activity/", "/approvals/figures/"):
        assert "Approvals 1" in text(client.get(page))


def test_nothing_waits(office):
    assert "Nothing waits" in text(signed_in(office.anna).get("/approvals/"))


# Deciding from the list


def test_whole_calls_are_decided_right_there(office):
    row = office.refund()
    client = signed_in(office.anna)
    page = client.get("/approvals/").content.decode()
    assert "Approve once" in page and "ch_3PqL8e2eZvKYlo2C" in page
    posted = {"choice": "once", "via": "inbox"}
    answer = client.post(url(row, "decide/"), posted)
    assert (answer.status_code, answer["Location"]) == (302, "/approvals/")
    assert state(row) == State.APPROVED
    assert Vote.objects.for_organization(office.acme).get().via == Via.INBOX


@pytest.mark.parametrize(
    "why", ["long", "critical", "own", "viewer", "voted", "publishers"]
)
def test_others_are_reviewed_on_their_page(office, why, dora):
    who, more = office.anna, {}
    if why == "critical":
        office.tool.severity = "critical"
        office.tool.save(update_fields=["severity"])
    if why == "long":
        more["arguments"] = {"note": "x" * 500}
    if why == "publishers":
        office.acme.publishers_decide = False
        office.acme.save(update_fields=["publishers_decide"])
    if why == "voted":
        row = office.refund(terms=[(["role:approver"], 2)])
        office.vote(row, office.anna)
    else:
        office.refund(**more)
    who = {"own": office.alice, "viewer": dora}.get(why, office.anna)
    page = text(signed_in(who).get("/approvals/"))
    assert "Approve once" not in page and "Review" in page


def test_the_time_of_opening_outlives_the_refreshing_of_the_list(office):
    office.refund()
    client = signed_in(office.anna)
    first = opening_time.sealed(office.anna.user)
    page = client.get("/approvals/", {"opened": first}).content.decode()
    assert page.count(f'value="{first}"') == 2
    assert f'hx-vals=\'{{"opened": "{first}"}}\'' in page
    assert "opened=" not in page.split('hx-get="')[1].split('"')[0]
    theirs = opening_time.sealed(office.adam.user)
    for forged in ('","x":"', theirs):
        page = client.get("/approvals/", {"opened": forged}).content.decode()
        assert "&quot;x&quot;" not in page and theirs not in page


def test_an_empty_field_of_a_page_that_was_never_opened_is_not_measured(office):
    row = office.refund()
    posted = {"choice": "once", "via": "inbox", "opened": "x"}
    signed_in(office.anna).post(url(row, "decide/"), posted)
    assert Vote.objects.for_organization(office.acme).get().opened_at is None


# Export


def test_a_filtered_list_as_csv_and_as_json_lines(office):
    row = office.refund(client="=HYPERLINK(1)")
    office.vote(row, office.anna, approves=False, reason="@no\nat all")
    office.refund(arguments={"n": 1})
    client = signed_in(office.anna)
    answer = client.get("/approvals/export/?state=decided")
    assert "attachment" in answer["Content-Disposition"]
    (line,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert line["client"] == "'=HYPERLINK(1)" and line["reason"] == "'@no\nat all"
    assert json.loads(line["arguments"]) == REFUND
    assert (line["state"], line["denied_by"]) == ("denied", "anna@example.com")
    answer = client.get("/approvals/export/?state=decided&format=jsonl")
    (told,) = map(json.loads, answer.content.decode().splitlines())
    assert told["client"] == "=HYPERLINK(1)" and told["id"] == str(row.pk)
    assert client.get("/approvals/export/?format=xls").status_code == 404


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_an_export_says_what_it_leaves_out(office, monkeypatch, kind):
    monkeypatch.setattr(export, "MOST_ROWS", 1)
    long = {"note": "x" * 5000}
    office.refund(arguments=long, expires_in=60)
    office.refund()
    answer = signed_in(office.anna).get(f"/approvals/export/?format={kind}")
    page = answer.content.decode()
    assert "narrow the filters" in page and "x" * 100 not in page
    assert str(len(json.dumps(long, separators=(",", ":")))) in page


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(office, mark):
    row = office.refund(client="x")
    row.client = f"{mark}1+1"
    row.save(update_fields=["client"])
    page = signed_in(office.anna).get("/approvals/export/").content.decode()
    (line,) = csv.DictReader(io.StringIO(page, newline=""))
    assert line["client"] == f"'{mark}1+1"


# Figures


def test_figures_of_thirty_days(office):
    opened = {"opened_at": timezone.now() - timedelta(seconds=2)}
    slow = {"opened_at": timezone.now() - timedelta(minutes=2)}
    for n, more in enumerate((opened, slow, slow, {})):
        row = office.refund(arguments={"n": n})
        row.created_at -= timedelta(minutes=3)
        row.save(update_fields=["created_at"])
        office.vote(row, office.anna, approves=n > 0, reason="no", **more)
    office.vote(office.refund(), office.adam)
    answer = signed_in(office.anna).get("/approvals/figures/")
    anna, adam = answer.context["people"]
    assert (anna.email, anna.decided, anna.approved) == ("anna@example.com", 4, 3)
    assert (anna.hasty, anna.measured, anna.share) == (1, 3, 33)
    assert 180 <= anna.median.total_seconds() < 200
    assert (adam.decided, adam.share) == (1, None)
    assert answer.context["together"].decided == 5
    totals = answer.context["totals"]
    assert (totals.asked, totals.approved, totals.denied) == (5, 4, 1)
    assert "33 %" in text(answer) and "not measured" in text(answer)


def often(office: Office, times: int, **more: Any) -> Approval:
    office.acme.pending_most = 100
    office.acme.save(update_fields=["pending_most"])
    for n in range(times):
        row = office.refund(arguments={"n": n}, **more)
        office.vote(row, office.anna)
    return row


def test_what_is_always_approved_could_be_a_rule(office):
    row = often(office, 10)
    answer = signed_in(office.alice).get("/approvals/figures/")
    (hint,) = answer.context["hints"]
    assert (hint.tool, hint.approved) == ("create_refund", 10)
    assert hint.approval == row.pk
    assert url(row, "always/") in answer.content.decode()
    office.vote(office.refund(), office.anna, approves=False)
    assert not signed_in(office.alice).get("/approvals/figures/").context["hints"]


def test_nine_times_is_not_often_and_a_month_ago_does_not_count(office):
    often(office, 9)
    assert not signed_in(office.alice).get("/approvals/figures/").context["hints"]
    old = office.refund(arguments={"n": 99})
    office.vote(old, office.anna)
    old.created_at -= timedelta(days=31)
    old.save(update_fields=["created_at"])
    assert not signed_in(office.alice).get("/approvals/figures/").context["hints"]


# Time-limited approvals


@pytest.fixture
def waiver(office: Office) -> Waiver:
    row = office.refund()
    wish = Wish(15, equality(REFUND) | {"/amount": {"max": 30000}})
    office.vote(row, office.anna, waiver=wish)
    return Waiver.objects.for_organization(office.acme).get()


def test_what_holds_for_a_while_is_listed_and_can_be_ended(office, waiver, dora):
    client = signed_in(office.adam)
    answer = client.get("/approvals/waivers/")
    assert f'data-now="{timezone.now():%Y}' in answer.content.decode()
    page = text(answer)
    assert "amount at most 30000" in page and "every other argument as it was" in page
    assert "anna@example.com" in page and "14 min" in page
    before = GenerationChange.objects.count()
    end = f"/approvals/waivers/{waiver.pk}/end/"
    assert signed_in(dora).post(end).status_code == 403
    assert client.post(end).status_code == 302
    waiver.refresh_from_db()
    assert waiver.ended_at is not None
    assert GenerationChange.objects.count() == before + 1
    client.post(end)
    assert GenerationChange.objects.count() == before + 1
    assert "No time-limited approvals" in text(client.get("/approvals/waivers/"))


def test_those_that_are_over_and_of_other_grants_are_not_listed(office, waiver):
    client = signed_in(office.adam)
    assert "create_refund" in text(client.get("/approvals/waivers/?grant=bot"))
    assert "create_refund" not in text(client.get("/approvals/waivers/?grant=x"))
    waiver.expires_at = timezone.now()
    waiver.save(update_fields=["expires_at"])
    assert "create_refund" not in text(client.get("/approvals/waivers/"))


# Delegation


def delegate(client: Client, to: Membership, ends: Any) -> Any:
    posted = {"to": str(to.pk), "ends_at": f"{ends:%Y-%m-%dT%H:%M}"}
    return client.post("/approvals/delegations/", posted)


def test_giving_and_ending_a_delegation(office, dora):
    client = signed_in(office.anna)
    tomorrow = timezone.now() + timedelta(days=1)
    assert delegate(client, dora, tomorrow).status_code == 302
    given = Delegation.objects.for_organization(office.acme).get()
    assert (given.giver, given.to) == (office.anna, dora)
    assert given.ends_at == tomorrow.replace(second=0, microsecond=0)
    page = text(signed_in(dora).get("/approvals/delegations/"))
    assert "dora@example.com you" in page and "anna@example.com" in page
    end = f"/approvals/delegations/{given.pk}/end/"
    bob = member(office.acme, "bob", Role.POLICY_MANAGER)
    assert signed_in(bob).post(end).status_code == 403
    assert client.post(end).status_code == 302
    given.refresh_from_db()
    assert given.ended_at is not None
    assert "Everybody decides for themselves" in text(
        client.get("/approvals/delegations/")
    )


@pytest.mark.parametrize("who", ["dora", "adam"])
def test_the_delegate_and_an_admin_may_end_it(office, dora, who):
    given = office.delegate(office.anna, dora)
    person = {"dora": dora, "adam": office.adam}[who]
    signed_in(person).post(f"/approvals/delegations/{given.pk}/end/")
    given.refresh_from_db()
    assert given.ended_at is not None


@pytest.mark.parametrize(
    ("days", "said"), [(-1, "a time to come"), (91, "At most 90 days")]
)
def test_a_delegation_ends_soon(office, dora, days, said):
    ends = timezone.now() + timedelta(days=days)
    answer = delegate(signed_in(office.anna), dora, ends)
    assert answer.status_code == 422 and said in text(answer)
    assert not Delegation.objects.for_organization(office.acme).exists()


def test_nobody_delegates_to_themselves_or_to_a_stranger(office, charlie):
    tomorrow = timezone.now() + timedelta(days=1)
    client = signed_in(office.anna)
    for to in (office.anna, charlie):
        assert delegate(client, to, tomorrow).status_code == 422
    assert not Delegation.objects.for_organization(office.acme).exists()


# Always


@pytest.fixture
def bob(office: Office) -> Client:
    return signed_in(member(office.acme, "bob", Role.POLICY_MANAGER))


def draft(office: Office) -> str:
    return Policy.objects.for_organization(office.acme).get().draft


def test_a_draft_is_shown_then_saved_and_opened_in_the_editor(office, bob):
    row = office.refund()
    page = text(bob.get(url(row, "always/")))
    assert '+ "conditions": [{"path": "args.amount", "op": "gt"' in page
    assert draft(office) == DOCUMENT
    answer = bob.post(url(row, "always/"), {"kind-2": "any", "revision": "0"})
    assert answer.status_code == 200 and draft(office) == DOCUMENT
    answer = bob.post(url(row, "always/save/"), {"kind-2": "any", "revision": "0"})
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"/policies/{office.policy.pk}/?pointer=")
    assert '{"path": "args.currency", "op": "exists"}' in draft(office)
    assert '"value": "ch_3PqL8e2eZvKYlo2C"' in draft(office)
    editor = text(bob.get(answer["Location"]))
    assert "It is not in force yet" in editor and "stands on line 5" in editor
    office.policy.refresh_from_db()
    assert office.policy.current_id == office.version.pk
    assert state(row) == State.PENDING


def test_a_draft_that_somebody_edits_is_not_overwritten(office, bob):
    row = office.refund()
    bob.get(url(row, "always/"))
    theirs = DOCUMENT.replace('"1",', '"1",\n  "description": "half done",')
    Policy.objects.for_organization(office.acme).update(draft=theirs, draft_revision=1)
    answer = bob.post(url(row, "always/save/"), {"revision": "0"})
    assert answer.status_code == 409 and draft(office) == theirs
    assert "changed meanwhile" in text(answer)
    assert "changes that are not published" in text(answer)
    assert bob.post(url(row, "always/save/"), {"revision": "1"}).status_code == 302
    assert "half done" in draft(office) and '"not"' in draft(office)


def test_what_cannot_be_drafted_is_said(office, bob):
    row = office.refund(arguments={"amount": None})
    answer = bob.get(url(row, "always/"))
    assert "args.amount is null" in text(answer)
    assert "Save in the draft" not in text(answer)
    answer = bob.post(url(row, "always/save/"), {"revision": "0"})
    assert answer.status_code == 422 and draft(office) == DOCUMENT
    assert bob.post(url(office.refund(), "always/save/"), {}).status_code == 400


def test_only_policy_managers_draft(office):
    row = office.refund()
    client = signed_in(office.anna, FRESH)
    assert client.get(url(row, "always/")).status_code == 403
    assert client.post(url(row, "always/save/"), {"revision": "0"}).status_code == 403
    assert "Always: draft a rule" not in text(client.get(url(row)))
    assert draft(office) == DOCUMENT


def test_hostile_names_are_inert_in_every_list(office, bob):
    row = office.refund(
        name=HOSTILE, arguments={HOSTILE: HOSTILE}, client=HOSTILE, fingerprint="0" * 64
    )
    office.grant.label = HOSTILE[:100]
    office.grant.save(update_fields=["label"])
    wish = Wish(15, {f"/{HOSTILE.replace('/', '~1')}": {"any": True}})
    office.vote(office.refund(arguments={HOSTILE: 1}), office.anna, waiver=wish)
    pages = ("", "?state=decided", f"?q={HOSTILE}", "waivers/", f"{row.pk}/always/")
    for page in pages:
        shown = bob.get(f"/approvals/{page}").content.decode()
        assert "<script>alert" not in shown, page

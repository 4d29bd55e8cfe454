"""The page of a request, the link that leads to it, and what is posted there."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, Organization, Role
from approvals import links, opening_time
from approvals.models import Approval, Notice, State, Via, Vote, Waiver
from audit.models import Record
from policies.decision import Ask
from tests.approvals.conftest import FRESH, signed_in
from tests.approvals.office import REFUND, RULE, Office
from tests.conftest import member
from tests.world import HOSTILE


@pytest.fixture
def acme(office: Office) -> Organization:
    return office.acme


@pytest.fixture
def row(office: Office) -> Approval:
    return office.refund()


def url(row: Approval, action: str = "") -> str:
    return f"/approvals/{row.pk}/{action}"


def text(answer: Any) -> str:
    """What a reader sees: without tags, white space folded."""
    page = re.sub(r"<script.*?</script>|<svg.*?</svg>", "", answer.content.decode())
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def decide(client: Client, row: Approval, choice: str = "once", **more: str) -> Any:
    return client.post(url(row, "decide/"), {"choice": choice} | more)


def state(row: Approval) -> str:
    row.refresh_from_db()
    return row.state


# What it shows


def test_all_that_a_decision_needs_is_on_the_page(office, row):
    office.history()
    page = text(signed_in(office.anna).get(url(row)))
    for said in (
        *("alice@example.com asks, through bot on payments", "waiting", "high"),
        *("Financial", "Set by a person", "All of them, 100 bytes"),
        '"charge_id": "ch_3PqL8e2eZvKYlo2C"',
        *("22 times the usual 1100", "for the first time"),
        "Compared with 9 allowed calls",
        *("Refunds a charge, in full", '"description": "In cents."'),
        "Refunds over 100 EUR need a person.",
        "in version 3 of support , lines 10 to 13",
        *("0 of 1: an approver or above", "59 min", "robot"),
        *("Approve once", "Deny", "Like calls, for a while"),
    ):
        assert said in page, said


def test_a_rule_in_no_text_and_a_tool_that_is_gone(office):
    row = office.refund(policy_id=None, policy_version=None)
    office.tool.delete()
    page = text(signed_in(office.anna).get(url(row)))
    assert "whose text is not there any more" in page
    assert "does not have this tool any more" in page
    assert "No earlier call of this grant" in page


def test_the_difference_to_the_last_approved_call(office):
    for amount in (15000, 20000):
        office.vote(office.refund(arguments=REFUND | {"amount": amount}), office.anna)
    office.vote(office.refund(arguments={"amount": 1}), office.anna, approves=False)
    row = office.refund()
    page = text(signed_in(office.anna).get(url(row)))
    assert '- "amount": 20000,' in page and '+ "amount": 25000,' in page
    assert "15000" not in page


def test_very_long_arguments_are_whole_and_hostile_ones_inert(office):
    end = f"the end {HOSTILE}"
    arguments = {"a": [HOSTILE] * 5000, "b": end}
    row = office.refund(arguments=arguments, client=HOSTILE)
    office.define(description=HOSTILE, inputSchema={"title": HOSTILE})
    page = signed_in(office.anna).get(url(row)).content.decode()
    assert page.count("alert(1)") > 5000
    assert "<script>alert" not in page
    assert "\u202e" not in page and "\u200f" not in page
    assert "‹U+202E›" in page and "the end &lt;script&gt;" in page


def test_no_cache_no_search_engine_no_other_site_learns_of_it(office, row):
    for address in (url(row), "/approvals/", "/approvals/figures/"):
        answer = signed_in(office.anna).get(address)
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "same-origin"
        assert "noindex" in answer["X-Robots-Tag"]


@pytest.mark.parametrize("publishers", [True, False])
def test_it_takes_few_queries(office, row, publishers):
    office.acme.publishers_decide = publishers
    office.acme.save(update_fields=["publishers_decide"])
    office.history()
    office.vote(office.refund(arguments={"amount": 2}), office.anna)
    client = signed_in(office.adam)
    with CaptureQueriesContext(connection) as queries:
        client.get(url(row))
    assert len(queries) <= 12, [query["sql"][:90] for query in queries]


def test_who_may_not_decide_is_told_why(office, row, dora):
    for who, why in (
        (office.alice, "your own grant"),
        (dora, "none of those who are asked"),
    ):
        page = text(signed_in(who).get(url(row)))
        assert why in page and "Approve once" not in page


def test_a_changed_tool_is_said(office, row):
    office.tool.fingerprint = "0" * 64
    office.tool.save(update_fields=["fingerprint"])
    assert "definition has changed" in text(signed_in(office.anna).get(url(row)))


def test_neither_button_has_the_focus(office, row):
    assert "autofocus" not in signed_in(office.anna).get(url(row)).content.decode()


# Opening changes nothing


def rows_of_everything() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(t::text, ',' ORDER BY t::text) FROM (SELECT"
            " 'a', a::text FROM approvals_approval a UNION ALL SELECT 'v', v::text FROM"
            " approvals_vote v UNION ALL SELECT 'w', w::text FROM approvals_waiver w"
            " UNION ALL SELECT 'n', n::text FROM approvals_notice n UNION ALL"
            " SELECT 'p', p::text FROM policies_policy p UNION ALL SELECT 's', s::text"
            " FROM django_session s UNION ALL SELECT 'g', g::text FROM"
            " accounts_generationchange g) t"
        )
        return str(cursor.fetchone()[0])


def test_a_thousand_visits_change_nothing(office, row):
    """By people, by mail filters that follow links, by browsers that fetch ahead."""
    notice = Notice.objects.for_organization(office.acme).get(user=office.anna.user)
    link, hashed = links.make(notice)
    notice.nonce_hash = hashed
    notice.save(update_fields=["nonce_hash"])
    member, nobody = signed_in(office.anna), Client()
    before, visited = rows_of_everything(), 0
    for turn in range(50):
        for client, page in product((member, nobody), visits(turn, link, row)):
            ahead = {"Sec-Purpose": "prefetch"} if turn % 2 else {}
            visit = client.head if turn % 3 else client.get
            assert visit(page, headers=ahead).status_code < 500
            visited += 1
    assert visited == 1000
    assert rows_of_everything() == before
    assert state(row) == State.PENDING


def visits(turn: int, link: str, row: Approval) -> tuple[str, ...]:
    """Mostly the link, as filters do; the lists, which take longest, now and then."""
    if turn % 5:
        return (url(row), *[link] * 9)
    return (
        *(link, url(row), url(row, "decide/"), url(row, "always/"), "/approvals/"),
        *("/approvals/?state=decided", "/approvals/figures/", "/approvals/export/"),
        *("/approvals/waivers/", "/approvals/delegations/"),
    )


# The link in a mail


@pytest.fixture
def link(office: Office, row: Approval) -> str:
    notice = Notice.objects.for_organization(office.acme).get(user=office.anna.user)
    path, notice.nonce_hash = links.make(notice)
    notice.save(update_fields=["nonce_hash"])
    return path


def test_its_recipient_comes_to_the_request(office, row, link):
    answer = signed_in(office.anna).get(link)
    assert (answer.status_code, answer["Location"]) == (302, url(row))


def test_nobody_signed_in_comes_back_to_it(link):
    answer = Client().get(link)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/?next=/approvals/link/")


def test_it_is_for_its_recipient_only(office, link):
    answer = signed_in(office.adam).get(link)
    assert answer.status_code == 403
    page = text(answer)
    assert "mailed to another person" in page and "Inbox" in page
    assert "refund" not in page


def test_after_its_time_it_says_so(office, row, link):
    office.pass_time(row, 61)
    answer = signed_in(office.anna).get(link)
    assert answer.status_code == 410
    assert "The time to decide is over" in text(answer)
    assert url(row) in answer.content.decode()


@pytest.mark.parametrize("change", [lambda p: p[:-3] + "x/", lambda p: p + "x/"])
def test_a_changed_link_is_not_found(office, link, change):
    assert signed_in(office.anna).get(change(link)).status_code == 404


def test_a_recipient_who_left_sees_nothing(office, link):
    office.anna.delete()
    client = signed_in(office.anna)
    assert "create_refund" not in text(client.get(link, follow=True))


# Several organizations


def test_a_request_of_another_organization_of_mine(office, row, other):
    member = Membership.objects.create(
        organization=other, user=office.anna.user, role=Role.OWNER
    )
    client = signed_in(office.anna)
    session = client.session
    session["organization"] = str(member.organization_id)
    session.save()
    answer = client.get(url(row))
    assert "Go on in that organization" in text(answer)
    assert "create_refund" not in text(answer)
    assert client.get(url(row)).status_code == 200
    assert decide(client, row).status_code == 404
    answer = client.post(url(row, "act-for/"), follow=True)
    assert "create_refund" in text(answer)


def test_a_strangers_request_is_not_there(row, charlie):
    client = signed_in(charlie)
    for action in ("", "always/"):
        assert client.get(url(row, action)).status_code == 404
    for action in ("decide/", "act-for/", "always/", "always/save/"):
        posted = client.post(url(row, action), {"choice": "deny"})
        assert posted.status_code == 404
    assert state(row) == State.PENDING


# Deciding


def test_approve_once(office, row):
    client = signed_in(office.anna)
    opened = opening_time.sealed(office.anna.user)
    answer = decide(client, row, opened=opened)
    assert (answer.status_code, answer["Location"]) == (302, url(row))
    assert state(row) == State.APPROVED
    vote = Vote.objects.for_organization(office.acme).get()
    assert (vote.via, vote.approves, vote.fresh) == (Via.PAGE, True, False)
    assert vote.opened_at is not None and vote.opened_at <= vote.at
    page = text(client.get(url(row)))
    assert "Approved by anna@example.com" in page and "It has not run yet" in page
    assert "Approve once" not in page
    assert not Waiver.objects.for_organization(office.acme).exists()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"preset": "not_now"}, "Not this time."),
        (
            {"preset": "not_now", "reason": " Ask in May. "},
            "Not this time. Ask in May.",
        ),
        ({"preset": "own", "reason": "No."}, "No."),
        ({"reason": "No."}, "No."),
    ],
)
def test_deny_with_a_reason_for_the_agent(office, row, given, reason):
    client = signed_in(office.anna)
    assert decide(client, row, "deny", **given).status_code == 302
    assert state(row) == State.DENIED
    assert row.reason == reason
    page = text(client.get(url(row)))
    assert "Denied by anna@example.com" in page and reason in page


def test_a_denial_says_why(office, row):
    answer = decide(signed_in(office.anna), row, "deny", preset="own")
    assert answer.status_code == 422
    assert "Say why: the agent is told." in text(answer)
    assert state(row) == State.PENDING


@pytest.mark.parametrize("choice", ["", "yes", "always"])
def test_other_choices_are_none(office, row, choice):
    assert decide(signed_in(office.anna), row, choice).status_code == 422
    assert state(row) == State.PENDING


def test_like_calls_for_an_hour(office, row):
    relaxed = {"kind-0": "max", "value-0": "30000", "kind-3": "any", "minutes": "60"}
    assert decide(signed_in(office.anna), row, "while", **relaxed).status_code == 302
    assert state(row) == State.APPROVED
    waiver = Waiver.objects.for_organization(office.acme).get()
    assert waiver.arguments == {
        "/amount": {"max": 30000},
        "/charge_id": {"is": REFUND["charge_id"]},
        "/currency": {"is": "gbp"},
        "/reason": {"any": True},
    }
    assert waiver.expires_at - waiver.created_at == timedelta(hours=1)
    assert "Like calls need no approval until" in text(
        signed_in(office.anna).get(url(row))
    )


def test_what_cannot_be_meant_is_said_and_nothing_written_is_lost(office, row):
    posted = {"kind-0": "max", "value-0": "5", "kind-2": "in", "value-2": "gbp\nusd"}
    opened = opening_time.sealed(office.anna.user)
    posted |= {"minutes": "60", "opened": opened}
    answer = decide(signed_in(office.anna), row, "while", **posted)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "This call has more than that." in page
    assert "gbp\nusd</textarea>" in page and "<details open>" in page
    assert 'value="60" checked' in page and f'value="{opened}"' in page
    assert state(row) == State.PENDING


@pytest.mark.parametrize("given", [{"terms": [(["role:approver"], 2)]}, "critical"])
def test_no_waiver_for_a_critical_tool_or_several_people(office, given):
    if given == "critical":
        office.tool.severity = "critical"
        office.tool.save(update_fields=["severity"])
        given = {}
    row = office.refund(**given)
    client = signed_in(office.anna, FRESH)
    assert "Like calls, for a while" not in text(client.get(url(row)))
    assert decide(client, row, "while", minutes="15").status_code == 422
    assert state(row) == State.PENDING
    assert not Waiver.objects.for_organization(office.acme).exists()


def test_two_people_are_needed(office):
    row = office.refund(terms=[(["role:approver"], 2)])
    anna = signed_in(office.anna)
    said = decide(anna, row)
    assert state(row) == State.PENDING
    page = text(anna.get(said["Location"]))
    assert "it still waits for others" in page and "1 of 2: an approver" in page
    assert "You approved this" in page and "Approve once" not in page
    decide(signed_in(office.adam), row)
    assert state(row) == State.APPROVED
    assert "anna@example.com, adam@example.com" in text(anna.get(url(row)))


def test_who_comes_second_is_told_who_was_first(office, row):
    adam = signed_in(office.adam)
    adam.get(url(row))
    decide(signed_in(office.anna), row, "deny", preset="explain")
    answer = adam.post(url(row, "decide/"), {"choice": "once"}, follow=True)
    page = text(answer)
    assert "Your choice was not taken" in page
    assert "Denied by anna@example.com" in page
    assert state(row) == State.DENIED


def test_too_late(office, row):
    office.pass_time(row, 61)
    answer = signed_in(office.anna).post(
        url(row, "decide/"), {"choice": "once"}, follow=True
    )
    page = text(answer)
    assert "The time to decide is over" in page and "Nobody decided before" in page
    assert Vote.objects.for_organization(office.acme).count() == 0


def test_no_right_no_word(office, row, dora):
    for who in (office.alice, dora):
        answer = decide(signed_in(who, FRESH), row)
        assert answer.status_code == 403
        assert "Your choice was not taken" in text(answer)
    assert state(row) == State.PENDING


def test_rights_are_those_of_the_moment(office, row):
    client = signed_in(office.anna)
    assert "Approve once" in text(client.get(url(row)))
    office.anna.role = Role.VIEWER
    office.anna.save(update_fields=["role"])
    assert decide(client, row).status_code == 403
    assert state(row) == State.PENDING


def test_a_delegate_decides_in_the_place_of_another(office, row, dora):
    office.delegate(office.anna, dora)
    client = signed_in(dora)
    assert "in the place of anna@example.com" in text(client.get(url(row)))
    decide(client, row)
    assert state(row) == State.APPROVED
    assert "dora@example.com in the place of" in text(client.get(url(row)))


# Fresh sign-in


@pytest.fixture
def critical(office: Office) -> Approval:
    office.tool.severity = "critical"
    office.tool.save(update_fields=["severity"])
    return office.refund()


def test_a_critical_call_asks_for_the_password_and_loses_nothing(office, critical):
    client = signed_in(office.anna)
    opened = opening_time.sealed(office.anna.user)
    written = {"preset": "own", "reason": "Wait <for> May", "opened": opened}
    answer = decide(client, critical, "deny", **written)
    assert answer.status_code == 302
    assert answer["Location"] == f"/account/reauthenticate/?next={url(critical)}"
    assert state(critical) == State.PENDING
    page = client.get(url(critical)).content.decode()
    assert "Wait &lt;for&gt; May</textarea>" in page
    assert '<option value="own" selected>' in page
    assert f'value="{opened}"' in page
    again = signed_in(office.anna, FRESH)
    decide(again, critical, "deny", **written)
    assert state(critical) == State.DENIED
    vote = Vote.objects.for_organization(office.acme).get()
    assert vote.fresh


def test_what_was_chosen_is_of_one_request_and_gone_once_decided(office, critical):
    client = signed_in(office.anna)
    decide(client, critical, "deny", preset="own", reason="only of this one")
    other = office.refund(arguments={"amount": 7})
    assert "only of this one" not in client.get(url(other)).content.decode()
    assert "approvals.chosen" in client.session
    office.vote(critical, office.adam, fresh=True)
    office.tool.severity = "low"
    office.tool.save(update_fields=["severity"])
    decide(client, office.refund(arguments={"amount": 8}))
    assert "approvals.chosen" not in client.session


def test_ones_own_call_where_the_policy_allows_it(office):
    row = office.refund(self_approval=True)
    stale = signed_in(office.alice)
    assert "fresh sign-in" in text(stale.get(url(row)))
    assert "reauthenticate" in decide(stale, row)["Location"]
    client = signed_in(office.alice, FRESH)
    assert "a call of your own grant" in text(client.get(url(row)))
    decide(client, row)
    assert state(row) == State.APPROVED
    assert "the requester’s own word" in text(client.get(url(row)))


def test_the_rows_of_arguments_come_back_after_signing_in(office):
    row = office.refund(self_approval=True)
    client = signed_in(office.alice)
    decide(client, row, "while", minutes="60", **{"kind-0": "max", "value-0": "31415"})
    page = client.get(url(row)).content.decode()
    assert "31415</textarea>" in page and "<details open>" in page
    assert 'value="60" checked' in page


# When it was opened


def test_the_time_of_opening_cannot_be_made_up(office, row, dora):
    now = timezone.now()
    mine = opening_time.sealed(office.anna.user)
    opened = opening_time.opened(mine, office.anna.user, row)
    assert opened is not None and abs(opened - now) < timedelta(seconds=5)
    for forged in ("", "x", mine[:-1], mine[1:], json.dumps([1, 2])):
        assert opening_time.opened(forged, office.anna.user, row) is None
    assert opening_time.opened(mine, dora.user, row) is None


def test_a_list_shows_a_request_only_from_when_it_was_made(office):
    listed = opening_time.sealed(office.anna.user)
    row = office.refund()
    row.created_at = timezone.now() + timedelta(seconds=30)
    assert opening_time.opened(listed, office.anna.user, row) == row.created_at


def test_reads_are_shown_as_reads(office):
    ask = Ask("/resources/limits/0", None)
    row = office.refund(
        method="resources/read",
        name="file:///etc/passwd",
        arguments={},
        fingerprint="",
        ask=ask,
    )
    page = text(signed_in(office.anna).get(url(row)))
    assert "Reads are approved one by one." in page
    assert "file:///etc/passwd" in page and "This call has none." in page


def test_other_grants_calls_are_not_compared(office, row):
    office.history()
    Record.objects.for_organization(office.acme).update(grant_id=row.pk)
    assert "No earlier call" in text(signed_in(office.anna).get(url(row)))
    assert str(RULE.reason) in text(signed_in(office.anna).get(url(row)))


def test_a_member_of_another_organization_cannot_borrow_the_link(office, link, other):
    stranger = member(other, "eve", Role.OWNER)
    assert signed_in(stranger).get(link).status_code == 403

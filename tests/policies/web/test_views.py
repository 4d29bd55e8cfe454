"""The editor without JavaScript, as forms and pages."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import GenerationChange, Role
from policies import granting, publishing
from policies.drafting import first_draft
from policies.models import Policy
from policies.pinned import pinned
from tests.conftest import member
from tests.policies.web.conftest import tool

DENY = '{\n  "version": "1",\n  "default": "deny"\n}\n'


class Form(HTMLParser):
    """The fields of the page's form `editor`, as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.area = self.select = self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "input" and given.get("name"):
            self.fields[given["name"]] = given.get("value", "")
        if tag == "select":
            self.select = given.get("name", "")
        if tag == "option" and "selected" in given:
            self.fields[self.select] = given["value"]
        if tag == "textarea" and given.get("name"):
            self.area, self.text = given["name"], ""

    def handle_data(self, data):
        if self.area:
            self.text += data

    def handle_endtag(self, tag):
        if tag == "textarea" and self.area:
            self.fields[self.area] = self.text.removeprefix("\n")
            self.area = ""


@pytest.fixture
def client(sign_in, bob, support):
    return sign_in(bob)


@pytest.fixture
def place(support):
    return f"/policies/{support.pk}/"


def form_of(answer) -> dict[str, str]:
    return Form(answer.content.decode()).fields


def index_of(fields: dict[str, str], name: str) -> int:
    return [row[0] for row in json.loads(fields["shown"])].index(name)


def test_the_page_holds_the_text_exactly(client, place, support):
    text = '\n\n{"version": "1",\t"default": "deny"}\n</textarea><b>'
    publishing.save_draft(support, text, None, 0)
    assert form_of(client.get(place))["text"] == text


def test_a_new_policy_begins_as_a_draft(client, payments):
    tool(payments, "read_it")
    row = payments.tools.for_organization(payments.organization_id).get(name="read_it")
    row.definition = '{"annotations": {"readOnlyHint": true}, "name": "read_it"}'
    row.save(update_fields=["definition"])
    made = client.post(
        "/policies/new/",
        {"name": "readers", "server": payments.public_id, "start": "read"},
    )
    policy = Policy.objects.across_organizations().get(name="readers")
    assert made["Location"] == f"/policies/{policy.pk}/"
    assert json.loads(policy.draft)["tools"] == {"read_it": {}}
    assert "nobody has checked" in policy.draft
    assert policy.current is None
    assert GenerationChange.objects.count() == 0
    again = client.post(
        "/policies/new/",
        {"name": "readers", "server": payments.public_id, "start": "deny"},
    )
    assert again.status_code == 422
    assert b"Another policy has this name" in again.content


@pytest.mark.parametrize("start", ["recommended", "deny", "read", "allow"])
def test_every_start_is_a_valid_document(support, payments, start):
    text = first_draft(start, pinned(payments), payments.organization)
    assert publishing.check(text, support, None).problems == ()


def test_a_server_of_another_organization_is_no_choice(client, other, support):
    from servers.models import Server

    theirs = Server.objects.create(organization=other, name="theirs", url="x")
    given = {"name": "x", "server": theirs.public_id, "start": "deny"}
    assert client.post("/policies/new/", given).status_code == 422
    assert b"theirs" not in client.get("/policies/new/").content


def test_saving_keeps_the_text_with_its_line_ends(client, place, support):
    fields = form_of(client.get(place))
    fields["text"] = DENY.replace("\n", "\r\n")
    assert client.post(f"{place}draft/", fields).status_code == 302
    support.refresh_from_db()
    assert support.draft == DENY
    assert support.draft_by.email == "bob@example.com"


def test_whoever_comes_second_keeps_the_text_and_sees_the_other(
    client, place, support, alice
):
    fields = form_of(client.get(place)) | {"text": '{"bob": 1}'}
    publishing.save_draft(support, '{"alice": 1}', alice.user, 0)
    answer = client.post(f"{place}draft/", fields)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Alice" in page
    assert "-{&quot;alice&quot;: 1}" in page
    again = form_of(answer)
    assert (again["text"], again["revision"]) == ('{"bob": 1}', "1")
    assert client.post(f"{place}draft/", again).status_code == 302
    support.refresh_from_db()
    assert support.draft == '{"bob": 1}'


def test_checking_saves_nothing(client, place, support):
    fields = form_of(client.get(place)) | {"text": '{\n  "defualt": 1\n}'}
    answer = client.post(f"{place}draft/check/", fields)
    page = answer.content.decode()
    assert "2:3" in page
    assert "/defualt" in page
    assert form_of(answer)["text"] == fields["text"]
    support.refresh_from_db()
    assert support.draft_revision == 0


def test_choices_are_made_in_the_text_that_was_sent(client, place, support):
    fields = form_of(client.get(place))
    fields["text"] = DENY
    fields[f"choice-{index_of(fields, 'create_refund')}"] = "deny"
    at = index_of(fields, "list_charges")
    fields |= {f"choice-{at}": "limit", f"max-{at}": "25", f"window-{at}": "day"}
    changed = form_of(client.post(f"{place}draft/choose/", fields))
    document = json.loads(changed["text"])
    assert document["tools"] == {
        "create_refund": {"action": "deny"},
        "list_charges": {"rate_limit": "25/day"},
    }
    assert changed[f"choice-{at}"] == "limit"
    assert changed[f"max-{at}"] == "25"
    support.refresh_from_db()
    assert support.draft_revision == 0


def test_what_was_not_touched_in_the_table_does_not_overwrite_the_text(client, place):
    """The table shows an older text than the one that comes with it."""
    fields = form_of(client.get(place))
    fields["text"] = (
        '{"version": "1", "default": "allow",'
        ' "tools": {"list_charges": {"action": "deny"}}}'
    )
    fields[f"choice-{index_of(fields, 'create_refund')}"] = "hide"
    changed = json.loads(form_of(client.post(f"{place}draft/choose/", fields))["text"])
    assert changed["tools"] == {"list_charges": {"action": "deny"}}
    assert changed["hide"] == ["create_refund"]


def test_a_choice_that_cannot_be_made_is_told_and_the_others_are_made(client, place):
    fields = form_of(client.get(place))
    fields["text"] = '{"version": "1", "default": "deny", "hide": ["delete_*"]}'
    fields = form_of(client.post(f"{place}draft/check/", fields))
    fields[f"choice-{index_of(fields, 'delete_customer')}"] = "allow"
    fields[f"choice-{index_of(fields, 'list_charges')}"] = "allow"
    answer = client.post(f"{place}draft/choose/", fields)
    assert "delete_*" in answer.content.decode()
    assert '"list_charges": {}' in form_of(answer)["text"]


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "{}x",
        "[1]",
        '[["t"]]',
        '[["t", "allow", "1", "minute", 5]]',
        "[" * 100_000,
        '[[1, "allow", "1", "minute"]]',
        '[["t", "bogus", "1", "minute"]]',
    ],
)
def test_a_made_up_table_is_a_bad_request(client, place, shown):
    fields = {"revision": "0", "text": DENY, "shown": shown, "choice-0": "no"}
    assert client.post(f"{place}draft/choose/", fields).status_code == 400


@pytest.mark.parametrize("revision", ["", "x", "-1", "9" * 30])
def test_a_form_without_its_revision_is_a_bad_request(client, place, revision):
    fields = {"revision": revision, "text": DENY}
    for what in ("draft/", "draft/check/", "draft/review/"):
        assert client.post(place + what, fields).status_code == 400
    assert client.post(f"{place}publish/", fields).status_code == 400


def test_the_editor_gets_the_sides_alone(client, place):
    fields = form_of(client.get(place))
    answer = client.post(f"{place}draft/check/", fields, headers={"HX-Request": "true"})
    assert answer.content.strip().startswith(b'<div id="policy-sides"')


def test_a_viewer_reads_and_has_no_buttons(sign_in, dora, place):
    page = sign_in(dora).get(place).content.decode()
    assert "readonly" in page
    assert "Save draft" not in page
    assert "formaction" not in page


def test_a_rule_of_a_record_is_shown_with_its_lines(client, place, support):
    text = DENY.replace("deny", "allow").replace("\n}", ',\n  "hide": ["x"]\n}')
    publishing.save_draft(support, text, None, 0)
    page = client.get(f"{place}?pointer=/hide/0").content.decode()
    assert "stands on line 4" in page
    page = client.get(f"{place}?pointer=/tools/<b>/deny_if/0").content.decode()
    assert "has no" in page
    assert "/tools/&lt;b&gt;/deny_if/0" in page


def test_names_that_nobody_lists_and_rules_for_all_are_shown(client, place, support):
    text = (
        '{"version": "1", "default": "deny", "tools": {"typo": {}},'
        ' "all_tools": {"rate_limit": "60/minute"}}'
    )
    publishing.save_draft(support, text, None, 0)
    page = client.get(place).content.decode()
    assert "Named, but not known" in page
    assert "<code>typo</code>" in page
    assert "at most 60 a minute" in page


def test_two_hundred_tools_take_few_queries_and_fit_in_a_form(client, place, payments):
    for number in range(197):
        tool(payments, f"tool_{number:03}")
    with CaptureQueriesContext(connection) as queries:
        fields = form_of(client.get(place))
    assert len(queries) <= 12
    assert len(json.loads(fields["shown"])) == 200
    fields[f"choice-{index_of(fields, 'tool_007')}"] = "deny"
    changed = form_of(client.post(f"{place}draft/choose/", fields))
    assert json.loads(changed["text"])["tools"] == {"tool_007": {"action": "deny"}}


def test_very_many_changes_are_made_in_parts(client, place, payments, monkeypatch):
    monkeypatch.setattr("policies.views.MOST_CHANGES", 2)
    fields = form_of(client.get(place))
    fields |= {f"choice-{at}": "deny" for at in range(3)}
    answer = client.post(f"{place}draft/choose/", fields)
    assert "send the rest again" in answer.content.decode()
    rest = form_of(answer)
    assert len(json.loads(rest["text"])["tools"]) == 2
    assert [rest[f"choice-{at}"] for at in range(3)] == ["deny", "deny", "unnamed"]


def test_more_tools_than_a_form_holds_are_found_by_name(client, place, payments):
    for number in range(400):
        tool(payments, f"tool_{number:03}")
    answer = client.get(place)
    assert "more tools: find them by name" in answer.content.decode()
    fields = form_of(answer) | {"find": "_399"}
    found = form_of(client.post(f"{place}draft/check/", fields))
    assert [row[0] for row in json.loads(found["shown"])] == ["tool_399"]


def test_the_list_is_filtered_by_its_address(client, support, payments):
    assert b"support" in client.get("/policies/?q=SUPP").content
    assert b"No policy fits" in client.get("/policies/?q=zzz").content
    assert b"No policy fits" in client.get("/policies/?server=nope").content
    page = client.get(f"/policies/?server={payments.public_id}").content
    assert f"/policies/{support.pk}/".encode() in page


def test_asking_where_one_person_decides_allows_self_approval(client, place, acme):
    """And says so; with a second approver it writes and says nothing of the kind."""

    def asking() -> tuple[dict[str, Any], str]:
        fields = form_of(client.get(place))
        fields["choice-0"] = "ask"
        answer = client.post(f"{place}draft/choose/", fields)
        document = json.loads(form_of(answer)["text"])
        return document["tools"]["create_refund"], answer.content.decode()

    entry, page = asking()
    assert entry["approval"] == {"self_approval": True}
    assert "may approve it, after signing in again" in page
    member(acme, "anna", Role.APPROVER)
    entry, page = asking()
    assert entry == {"action": "require_approval"}
    assert "after signing in again" not in page


def test_what_nobody_but_the_requester_can_decide_is_an_error_at_its_place(
    client, place, support, bob
):
    granting.mint(None, holder=bob, server=support.server, policy=support, label="bot")
    entry = '{"action": "require_approval"}'
    text = f'{{"version": "1", "default": "allow",\n "tools": {{"x": {entry}}}}}'
    publishing.save_draft(support, text, bob.user, 0)

    editor = client.get(place).content.decode()
    review = client.get(f"{place}publish/").content.decode()
    posted = client.post(f"{place}publish/", {"revision": "1", "comment": ""})

    for page in (editor, review):
        assert 'data-severity="error" data-line="2"' in page
        assert "and nobody but bob@example.com can decide: invite somebody" in page
    assert "This draft cannot be published" in review
    assert 'name="revision"' not in review
    assert posted.status_code == 422
    support.refresh_from_db()
    assert support.current is None

"""The editor's two views of one document, with JavaScript and without."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import Membership, Organization, Role
from policies import granting, publishing
from policies.models import Policy
from policies.tokens import well_formed
from servers.models import Server
from tests.browser.looking import DESK, PHONE, seen
from tests.conftest import member
from tests.policies.web.conftest import tool

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

TEXT = """{
  "version": "1",
  "default": "deny",
  "hide": ["delete_*"],
  "tools": {
    "list_charges": {},
    "get_*": {"rate_limit": "5/minute"},
    "create_refund": {
      "require": [{"path": "args.currency", "op": "in", "value": ["usd", "eur"]}],
      "deny_if": [{"conditions": [{"path": "args.amount", "op": "gt", "value": 50000}]}]
    }
  }
}
"""


@pytest.fixture
def bob(valkey: object) -> Membership:
    acme = Organization.objects.create(slug="acme", name="Acme", shard=7)
    member(acme, "anna", Role.APPROVER)  # who can decide about bob's calls
    return member(acme, "bob", Role.POLICY_MANAGER)


@pytest.fixture
def policy(bob: Membership) -> Policy:
    server = Server.objects.create(
        organization=bob.organization, name="payments", url="http://127.0.0.1:9/mcp"
    )
    for name in ("list_charges", "create_refund", "get_one", "delete_it", "refund_all"):
        tool(server, name)
    return publishing.create(server, "support", TEXT, bob.user)


def place(policy: Policy, query: str = "") -> str:
    return f"/policies/{policy.pk}/{query}"


def text_of(page: Any) -> str:
    said: str = page.evaluate("document.querySelector('policy-editor').text")
    return said


def until_text(page: Any, wanted: str) -> None:
    """Playwright's own waiting for a function needs eval, which the page forbids."""
    until = time.monotonic() + 10
    while wanted not in text_of(page):
        assert time.monotonic() < until, text_of(page)
        page.wait_for_timeout(50)


def write(page: Any, text: str) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def select_of(page: Any, name: str) -> Any:
    return page.get_by_label(f"What {name} gets", exact=True)


def test_a_choice_in_the_table_is_made_in_the_text(open_page, bob, policy):
    page = open_page(bob)
    page.goto(place(policy))
    select_of(page, "refund_all").select_option("ask")
    until_text(page, "refund_all")
    wanted = TEXT.replace(
        "    }\n  }\n}",
        '    },\n    "refund_all": {"action": "require_approval"}\n  }\n}',
    )
    assert text_of(page) == wanted
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("Draft saved").wait_for()
    policy.refresh_from_db()
    assert (policy.draft, policy.draft_revision) == (wanted, 1)


def test_a_choice_made_before_the_script_is_there_is_not_lost(open_page, bob, policy):
    page, held = open_page(bob), []
    page.route("**/policy-editor*.js", lambda request: held.append(request))
    page.goto(place(policy), wait_until="commit")
    select_of(page, "refund_all").select_option("ask")
    assert page.locator(".cm-content").count() == 0
    for request in held:
        request.continue_()
    page.locator(".cm-content").wait_for()
    until_text(page, '"refund_all": {"action": "require_approval"}')


def test_a_limit_is_set_in_the_table(open_page, bob, policy):
    page = open_page(bob)
    page.goto(place(policy))
    select_of(page, "list_charges").select_option("limit")
    until_text(page, "10/minute")
    most = page.get_by_label("At most, for list_charges")
    most.fill("25")
    most.press("Enter")
    until_text(page, "25/minute")
    assert page.url.endswith(place(policy))


def test_a_change_of_the_text_is_shown_in_the_table(open_page, bob, policy):
    page = open_page(bob)
    page.goto(place(policy))
    expect(select_of(page, "get_one")).to_have_value("limit")
    write(page, '{"version": "1", "default": "allow", "hide": ["get_one"]}')
    expect(select_of(page, "get_one")).to_have_value("hide")
    expect(select_of(page, "list_charges")).to_have_value("unnamed")


def test_errors_stand_at_their_place(open_page, bob, policy):
    page = open_page(bob)
    page.goto(place(policy))
    write(page, TEXT.replace('"default"', '"defualt"'))
    page.get_by_text("3:3").wait_for()
    page.locator(".cm-lint-marker-error").first.wait_for()
    expect(page.get_by_text("The tools are shown again")).to_be_visible()
    page.get_by_role("link", name="3:3").click()
    line = page.evaluate(
        "(() => { const v = document.querySelector('policy-editor').view;"
        " return v.state.doc.lineAt(v.state.selection.main.head).number; })()"
    )
    assert line == 3


def test_a_broken_text_is_not_lost_and_not_published(open_page, bob, policy):
    page = open_page(bob)
    page.goto(place(policy))
    write(page, "{ half")
    page.get_by_role("button", name="Review and publish").click()
    page.get_by_text("This draft cannot be published").wait_for()
    expect(page.get_by_role("button", name="Publish", exact=True)).to_be_hidden()
    policy.refresh_from_db()
    assert policy.draft == "{ half"


def test_a_rule_of_a_record_is_pointed_at(open_page, bob, policy):
    page = open_page(bob)
    page.goto(place(policy, "?pointer=/tools/create_refund/deny_if/0"))
    expect(page.get_by_text("stands on line 10")).to_be_visible()
    assert page.locator(".cm-pointed").inner_text().strip().startswith('"deny_if"')


def test_whoever_comes_second_keeps_the_text(open_page, bob, policy):
    page = open_page(bob)
    page.goto(place(policy))
    publishing.save_draft(policy, '{"saved": "meanwhile"}', None, 0)
    write(page, TEXT.replace("5/minute", "7/minute"))
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("after you opened it").wait_for()
    assert '"7/minute"' in text_of(page)
    page.get_by_text("How yours differs").click()
    expect(page.get_by_text('-{"saved": "meanwhile"}')).to_be_visible()
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("Draft saved").wait_for()
    policy.refresh_from_db()
    assert "7/minute" in policy.draft


def test_everything_works_without_javascript(open_page, bob, policy):
    page = open_page(bob, javascript=False)
    page.goto(place(policy))
    document = page.get_by_role("textbox", name="Document")
    assert document.input_value() == TEXT
    document.fill(
        TEXT.replace('"list_charges": {},', '"list_charges": {"action":"deny"},')
    )
    select_of(page, "refund_all").select_option("allow")
    with page.expect_navigation():
        page.get_by_role("button", name="Change the text to these").click()
    changed = page.get_by_role("textbox", name="Document").input_value()
    tools = json.loads(changed)["tools"]
    assert tools["list_charges"] == {"action": "deny"}
    assert tools["refund_all"] == {}
    expect(select_of(page, "list_charges")).to_have_value("deny")
    expect(page.locator("noscript .notice", has_text="not saved yet")).to_be_visible()
    page.get_by_role("textbox", name="Document").fill("{")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("1 error")).to_be_visible()
    page.get_by_role("textbox", name="Document").fill(changed)
    page.get_by_role("button", name="Review and publish").click()
    expect(page.get_by_role("heading", name="What this version does")).to_be_visible()
    page.get_by_label("Comment").fill("First")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("in force", exact=True)).to_be_visible()
    policy.refresh_from_db()
    assert policy.current is not None
    assert policy.current.text == changed


def test_keys_alone_are_enough(open_page, bob, policy):
    """Into the text, out of it again, and to a choice in the table."""
    page = open_page(bob)
    page.goto(place(policy))
    page.locator(".cm-content").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        tag = page.evaluate("document.activeElement.id")
        if str(tag).startswith("choice-"):
            break
    page.keyboard.press("ArrowDown")
    until_text(page, '"rate_limit": "10/minute"')
    focused = page.evaluate("document.activeElement.id")
    assert focused == tag


def test_a_text_that_cannot_be_checked_is_told_and_kept(open_page, bob, policy):
    page = open_page(bob)
    page.goto(place(policy))
    page.route("**/draft/check/", lambda route: route.fulfill(status=503))
    write(page, "{ mine")
    page.get_by_text("could not be checked").wait_for()
    assert text_of(page) == "{ mine"
    page.unroute("**/draft/check/")
    page.get_by_text("1 error").wait_for()
    expect(page.get_by_text("could not be checked")).to_be_hidden()


def test_the_page_that_shows_a_token(open_page, bob, policy):
    """It answers a form, so the walk over all pages does not see it."""
    page = open_page(bob)
    page.goto("/grants/new/")
    page.get_by_label("Label").fill("bot")
    page.get_by_role("button", name="Make grant").click()
    token = page.locator("#token code").inner_text()
    assert well_formed(token)
    assert seen(page, "grants_minted-bob") == []
    for width, shown, name, hidden in (
        (DESK, "#cursor", "Cursor", "#claude-code"),
        (PHONE, "#claude-code", "Claude Code", "#cursor"),
    ):
        page.set_viewport_size({"width": width, "height": 800})
        page.locator("summary").get_by_text(name, exact=True).click()
        expect(page.locator(f"{shown} pre")).to_be_visible()
        expect(page.locator(f"{hidden} pre")).to_be_hidden()
        assert token in page.locator(f"{shown} pre").inner_text()


def test_revoking_asks_in_a_dialog_and_without_javascript_on_a_page(
    open_page, bob, policy
):
    server = policy.server
    for javascript in (True, False):
        grant, _ = granting.mint(
            bob, holder=bob, server=server, policy=policy, label=f"bot {javascript}"
        )
        page = open_page(bob, javascript=javascript)
        page.goto(f"/grants/{grant.pk}/")
        page.get_by_role("link", name="Revoke").click()
        expect(page.get_by_text("ends with its next call")).to_be_visible()
        page.get_by_role("button", name="Revoke grant").click()
        page.get_by_text("revoked", exact=True).wait_for()
        grant.refresh_from_db()
        assert grant.revoked_at is not None

"""From the Members page by mail to a member, as people do it, with and without
JavaScript; and the pages that no line of tests/routes.py can open."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from accounts import invitations
from accounts.models import Membership, Organization, Role
from tests.browser.conftest import Opener, session_cookie
from tests.browser.looking import PHONE, seen
from tests.conftest import PASSWORD, member
from tests.world import HOSTILE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]
ERIN = "erin@example.com"


@pytest.fixture(autouse=True)
def mails_of_this_address(settings, live_server):
    settings.ACCOUNT_RATE_LIMITS = False
    settings.BASE_URL = live_server.url


def role_of(acme: Organization, email: str = ERIN) -> str | None:
    rows = Membership.objects.for_organization(acme).filter(user__email=email)
    return rows.values_list("role", flat=True).first()


def link() -> str:
    [found] = re.findall(r"http\S+/invitations/\S+", str(mail.outbox[-1].body))
    return str(found)


def invite(page: Page, email: str = ERIN) -> None:
    page.goto("/settings/members/")
    page.get_by_role("link", name="Invite a member").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label(re.compile("Approver")).check()
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text(f"{email} is invited by mail.")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_from_an_address_to_a_member(
    open_page: Opener, acme: Organization, alice: Membership, javascript: bool
) -> None:
    hers = open_page(alice, javascript=javascript)
    invite(hers)
    theirs = open_page(width=PHONE, javascript=javascript)
    theirs.goto(link())
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Join Acme")
    assert role_of(acme) is None
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Create account and join").click()
    theirs.wait_for_url("**/")
    assert role_of(acme) == Role.APPROVER
    theirs.goto(link())
    expect(theirs.get_by_text("This invitation does not work")).to_be_visible()

    hers.reload()
    row = hers.get_by_role("row", name=re.compile(ERIN))
    row.get_by_role("link", name="Change role").click()
    hers.get_by_label(re.compile("Policy manager")).check()
    hers.get_by_role("button", name="Change role").click()
    expect(hers.get_by_text(f"{ERIN} is now policy manager.")).to_be_visible()
    row.get_by_role("link", name="Remove").click()
    hers.get_by_role("button", name="Remove member").click()
    expect(hers.get_by_text(f"{ERIN} is no member any more.")).to_be_visible()
    assert role_of(acme) is None
    theirs.goto("/settings/members/")
    theirs.wait_for_url("**/organizations/new/")


def test_with_an_account_one_signs_in_and_comes_back(
    open_page: Opener, acme: Organization, alice: Membership, charlie: Membership
) -> None:
    invite(open_page(alice), "charlie@example.com")
    page = open_page()
    page.goto(link())
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_label("Email").fill("charlie@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You are a member of “Acme” now.")).to_be_visible()
    assert role_of(acme, "charlie@example.com") == Role.APPROVER


def test_somebody_else_switches_the_account(
    open_page: Opener, acme: Organization, alice: Membership, charlie: Membership
) -> None:
    invite(open_page(alice))
    page = open_page(charlie)
    page.goto(link())
    page.get_by_role("button", name="Sign out and switch").click()
    expect(page.get_by_role("button", name="Create account and join")).to_be_visible()


def test_a_token_that_decides_asks_for_the_password(
    open_page: Opener, acme: Organization, alice: Membership
) -> None:
    page = open_page(alice)
    page.goto("/settings/")
    page.get_by_label("API tokens may decide requests").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto("/settings/tokens/new/")
    page.get_by_label("Label").fill("deploy-bot")
    page.get_by_label(re.compile("approvals:decide")).check()
    page.get_by_role("button", name="Make token").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Label")).to_have_value("deploy-bot")
    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#token")).to_contain_text("plm_")


def test_pages_of_an_invitation(
    open_page: Opener, acme: Organization, alice: Membership, charlie, live_server
) -> None:
    """For who has no account, who has one, and somebody else; at their worst."""
    page = open_page()
    acme.name = HOSTILE[:120]
    acme.save()
    member(acme, "known", Role.VIEWER).delete()
    wrong = {}
    for number, email in enumerate((ERIN, "known@example.com", "charlie@example.com")):
        sent = invitations.invite(alice, email, "approver")
        for who in (None, charlie):
            page.context.clear_cookies()
            if who:
                page.context.add_cookies([session_cookie(who, live_server.url)])
            page.goto(f"/invitations/{sent.token}/")
            name = f"invitation-{number}-{who and 'charlie'}"
            wrong[name] = seen(page, name)
    page.goto("/invitations/none/")
    wrong["gone"] = seen(page, "invitation-gone")
    assert not {name: found for name, found in wrong.items() if found}


def test_a_list_of_many_at_its_worst(
    open_page: Opener, acme: Organization, alice: Membership, monkeypatch
) -> None:
    monkeypatch.setattr("accounts.member_views.PAGE", 5)
    for number in range(8):
        someone = member(acme, f"{'m' * 40}{number:02d}", Role.VIEWER)
        someone.user.name = HOSTILE
        someone.user.save()
    page = open_page(alice)
    page.goto("/settings/members/")
    assert seen(page, "members-many") == []
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("row")).to_have_count(1 + 4)


def test_the_dialog_has_no_fault(open_page: Opener, alice: Membership) -> None:
    page = open_page(alice)
    page.goto("/settings/members/")
    page.get_by_role("link", name="Invite a member").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert seen(page, "invite-dialog") == []

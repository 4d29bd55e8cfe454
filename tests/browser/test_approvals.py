"""From the mail to the decision, with and without scripts; the inbox; how it looks."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from approvals import sending
from approvals.models import Approval, State, Vote
from approvals.waiving import Wish
from tests.approvals.office import REFUND, Office
from tests.browser.conftest import Opener
from tests.browser.looking import DESK, PHONE, seen
from tests.conftest import PASSWORD
from tests.world import HOSTILE

REFRESH = 5_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def office(acme, alice, valkey, settings) -> Office:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.ACCOUNT_RATE_LIMITS = False
    return Office(acme, alice)


def state(row: Approval) -> str:
    return Approval.objects.for_organization(row.organization_id).get(pk=row.pk).state


def vote(row: Approval) -> Vote:
    return Vote.objects.for_organization(row.organization_id).get(approval=row)


def mailed_link(office: Office, to: str) -> str:
    """The path in the newest mail to that person."""
    sending.deliver_due()
    sent = [each for each in mail.outbox if to in each.to[0]]
    found = re.search(r"https?://[^/\s]+(/approvals/link/\S+)", str(sent[-1].body))
    assert found
    return found[1]


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


# From the mail to the decision


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_from_the_mail_to_the_approval(open_page: Opener, office, width, javascript):
    row = office.refund()
    page = open_page(width=width, javascript=javascript)
    page.goto(mailed_link(office, "anna@example.com"))
    sign_in(page, "anna@example.com")
    expect(page).to_have_url(re.compile(rf"/approvals/{row.pk}/$"))
    expect(page.get_by_text('"charge_id": "ch_3PqL8e2eZvKYlo2C"')).to_be_visible()
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    assert state(row) == State.PENDING
    page.get_by_role("button", name="Approve once").click()
    expect(page.get_by_text("Approved by anna@example.com")).to_be_visible()
    assert state(row) == State.APPROVED
    assert vote(row).opened_at is not None


def test_the_link_of_somebody_else(open_page: Opener, office):
    office.refund()
    page = open_page(office.adam)
    page.goto(mailed_link(office, "anna@example.com"))
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "A link for somebody else"
    )
    # Forms of the frame work here too: the browser names our origin.
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_critical_call_asks_for_the_password_first(
    open_page: Opener, office, javascript
):
    office.tool.severity = "critical"
    office.tool.save(update_fields=["severity"])
    row = office.refund()
    page = open_page(office.anna, javascript=javascript)
    page.goto(f"/approvals/{row.pk}/")
    expect(page.get_by_text("needs a fresh sign-in")).to_be_visible()
    page.get_by_label("Reason, for the agent").select_option("own")
    page.get_by_label("In your words").fill("Not before May.")
    page.get_by_role("button", name="Deny").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_text("Nothing is sent yet")).to_be_visible()
    expect(page.get_by_label("In your words")).to_have_value("Not before May.")
    assert state(row) == State.PENDING
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("Denied by anna@example.com")).to_be_visible()
    assert vote(row).reason == "Not before May."


def test_like_calls_for_a_while_without_scripts(open_page: Opener, office):
    row = office.refund()
    page = open_page(office.anna, width=PHONE, javascript=False)
    page.goto(f"/approvals/{row.pk}/")
    page.get_by_text("Like calls, for a while").click()
    page.get_by_label("amount", exact=True).select_option("max")
    page.get_by_label("amount: values, one a line").fill("30000")
    page.get_by_label("1 hour").check()
    page.get_by_role("button", name="Approve like calls").click()
    page.get_by_role("link", name="See and end it").click()
    expect(page.get_by_text("at most 30000")).to_be_visible()
    page.get_by_role("button", name="End").click()
    expect(page.get_by_text("No time-limited approvals")).to_be_visible()


def test_always_opens_the_draft_in_the_editor(open_page: Opener, office):
    row = office.refund()
    page = open_page(office.adam)
    page.goto(f"/approvals/{row.pk}/")
    page.get_by_role("link", name="Always: draft a rule").click()
    page.get_by_label("amount", exact=True).select_option("max")
    page.get_by_label("amount: values, one a line").fill("30000")
    page.get_by_role("button", name="Show the draft for that").click()
    expect(page.locator(".diff")).to_contain_text('"lte"')
    page.get_by_role("button", name="Save in the draft").click()
    expect(page.get_by_text("It is not in force yet: publish it.")).to_be_visible()
    office.policy.refresh_from_db()
    assert '"lte"' in office.policy.draft and office.policy.draft_revision == 1


def test_what_is_left_counts_on(open_page: Opener, office):
    row = office.refund(expires_in=600)
    page = open_page(office.anna)
    page.goto(f"/approvals/{row.pk}/")
    left = page.locator("count-down").first
    said = left.inner_text()
    expect(left).not_to_have_text(said)
    expect(left).to_have_text(re.compile(r"^9 min \d\d s$"))


# The inbox


def test_the_inbox_keeps_itself_up_to_date_under_nobodys_hands(
    open_page: Opener, office
):
    first = office.refund()
    page = open_page(office.anna)
    page.clock.install()
    page.goto("/approvals/")
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(1)
    rows.first.focus()
    second = office.refund(arguments={"n": 2}, expires_in=60)
    page.clock.run_for(REFRESH)
    expect(rows).to_have_count(2)
    expect(page.locator(f"#row-{first.pk} [data-row]")).to_be_focused()
    expect(page.locator(".sidebar [data-waiting]")).to_have_text("2")
    # While a reason is written, nothing is even asked for.
    page.locator(f"#row-{first.pk} summary").click()
    page.locator(f"#row-{first.pk} textarea").fill("half a sent")
    office.vote(second, office.adam)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(3 * REFRESH)
    assert asked == []
    expect(page.locator(f"#row-{first.pk} textarea")).to_have_value("half a sent")
    page.locator(f"#row-{first.pk} summary").click()
    page.clock.run_for(REFRESH)
    expect(rows).to_have_count(1)
    expect(page.locator(".sidebar [data-waiting]")).to_have_text("1")


@pytest.mark.parametrize("javascript", [True, False])
def test_deciding_from_the_inbox(open_page: Opener, office, javascript):
    denied = office.refund(expires_in=60)
    approved = office.refund(arguments={"n": 2})
    page = open_page(office.anna, width=PHONE, javascript=javascript)
    page.goto("/approvals/")
    row = page.locator(f"#row-{denied.pk}")
    row.get_by_text("Deny", exact=False).first.click()
    row.get_by_label("In your words").fill("Ask in May.")
    row.get_by_role("button", name="Deny").click()
    expect(page.locator("[data-row]")).to_have_count(1)
    page.get_by_role("button", name="Approve once").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    assert (state(denied), state(approved)) == (State.DENIED, State.APPROVED)
    assert vote(denied).reason == "Not this time. Ask in May."


def test_keys_that_can_be_switched_off(open_page: Opener, office):
    soon = office.refund(expires_in=60)
    late = office.refund(arguments={"n": 2})
    page = open_page(office.anna)
    page.goto("/approvals/")
    first, second = (page.locator(f"#row-{r.pk} [data-row]") for r in (soon, late))
    page.keyboard.press("j")
    expect(first).to_be_focused()
    page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(first).to_be_focused()
    page.keyboard.press("k")
    expect(first).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("jk")
    expect(page.locator("[data-search]")).to_have_value("jk")
    page.evaluate("localStorage.setItem('keys', 'off')")
    page.goto("/approvals/")
    page.keyboard.press("j")
    expect(first).not_to_be_focused()
    page.evaluate("localStorage.setItem('keys', 'on')")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(str(soon.pk)))


# How it looks


def test_looks(open_page: Opener, office: Office):
    """Full, at its worst, and in every state; axe finds nothing."""
    office.history()
    office.delegate(office.anna, office.adam)
    office.approved(
        arguments=b'{"amount":20000,"currency":"eur"}', name="create_refund"
    )
    row = office.refund()
    hostile = {HOSTILE: [HOSTILE * 20, {"n": [1, 2, {"deep": HOSTILE}]}] * 2}
    long = office.refund(arguments=hostile | REFUND)
    office.refund(arguments={"charge_id": "ch_1", "amount": 11000, "currency": "eur"})
    page = open_page(office.adam)
    states = {}
    for number, each in enumerate(State):
        past = office.refund(arguments={"n": number})
        past.state, past.usable_until = each, timezone.now() + timedelta(minutes=5)
        past.decided_at, past.reason = timezone.now(), HOSTILE
        past.used_at = past.decided_at if each == State.USED else None
        past.save()
        states[f"state-{each.value}"] = f"/approvals/{past.pk}/"
    wish = Wish(60, {"/amount": {"max": 30000}, "/currency": {"in": ["eur", "usd"]}})
    both = {"amount": 12000, "currency": "eur"}
    office.vote(office.refund(arguments=both), office.anna, waiver=wish)
    wrong = {}
    for name, url in {
        "inbox": "/approvals/",
        "decided": "/approvals/?state=decided",
        "expired": "/approvals/?state=expired",
        "request": f"/approvals/{row.pk}/",
        "hostile": f"/approvals/{long.pk}/",
        "figures": "/approvals/figures/",
        "waivers": "/approvals/waivers/",
        "delegations": "/approvals/delegations/",
        "always": f"/approvals/{row.pk}/always/",
        **states,
    }.items():
        page.goto(url)
        for details in page.locator("main details:not(.menu)").all():
            details.evaluate("each => { each.open = true }")
        wrong[name] = seen(page, f"approvals-{name}")
        if name == "inbox":
            page.locator(".deny summary").first.click()
            wrong["deny"] = seen(page, "approvals-deny")
    assert not {name: found for name, found in wrong.items() if found}

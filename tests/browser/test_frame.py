"""The frame of every page: all of it without scripts, then what scripts add."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from accounts.models import Membership, Organization, Role
from tests.browser.conftest import Opener
from tests.browser.looking import PHONE
from tests.world import make_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]
PASSWORD = "correct horse battery"


def theme_of(page: Page) -> str | None:
    return page.locator("html").get_attribute("data-theme")


def test_from_sign_up_to_sign_out_without_scripts(open_page: Opener):
    page = open_page(javascript=False)
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Sign up").click()
    page.get_by_label("Email").fill("erin@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    link = re.search(r"http://\S+/confirm-email/\S+", str(mail.outbox[0].body))
    assert link
    page.goto(link[0])
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Organization name").fill("Blue Whale")
    page.get_by_label("Time zone").select_option("Europe/Paris")
    page.get_by_role("button", name="Create organization").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert Organization.objects.get().zone == "Europe/Paris"
    page.locator(".sidebar-end summary").click()
    page.get_by_role("button", name="Dark theme").click()
    assert theme_of(page) == "dark"
    page.locator(".sidebar-end summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    assert theme_of(page) == "dark"


def test_switching_organizations_without_scripts(open_page: Opener, alice, other):
    Membership.objects.create(organization=other, user=alice.user, role=Role.VIEWER)
    page = open_page(alice, javascript=False)
    page.goto("/")
    switcher = page.locator(".sidebar summary", has_text="Acme")
    switcher.click()
    page.get_by_role("button", name="Other").click()
    expect(page.locator(".sidebar summary", has_text="Other")).to_be_visible()


def test_the_menu_of_a_phone_without_scripts(open_page: Opener, alice):
    page = open_page(alice, width=PHONE, javascript=False)
    page.goto("/")
    expect(page.locator(".sidebar")).to_be_hidden()
    page.locator(".topbar summary", has_text="Menu").click()
    page.locator(".topbar").get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_the_zone_of_the_browser_is_proposed(open_page: Opener, alice):
    page = open_page(alice, zone="Asia/Tokyo")
    page.goto("/organizations/new/")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")


def test_the_theme_changes_at_once_and_stays(open_page: Opener, alice):
    page = open_page(alice)
    page.goto("/")
    assert theme_of(page) == "auto"
    page.locator(".sidebar-end summary").click()
    dark = page.get_by_role("button", name="Dark theme")
    dark.click()
    assert theme_of(page) == "dark"
    expect(dark).to_have_attribute("aria-pressed", "true")
    page.reload()
    assert theme_of(page) == "dark"


def test_menus_close_by_escape_and_by_a_click_elsewhere(open_page: Opener, alice):
    page = open_page(alice)
    page.goto("/")
    menu = page.locator(".sidebar-end details")
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    page.get_by_role("heading", name="Overview").click()
    expect(menu).not_to_have_attribute("open", "")


def test_the_help_opens_by_a_key_that_can_be_switched_off(open_page: Opener, alice):
    page = open_page(alice)
    page.goto("/")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.get_by_label("Shortcuts of a single key are on").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_hidden()
    page.reload()
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_hidden()


def test_a_slash_goes_to_the_search_but_not_while_typing(open_page: Opener):
    page = open_page(make_world().people["dora"])
    page.goto("/activity/")
    search = page.locator("[data-search]")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("a/b?")
    expect(search).to_have_value("a/b?")


def test_the_first_tab_offers_to_skip_to_the_content(open_page: Opener, alice):
    page = open_page(alice)
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_a_code_block_is_copied_whole(open_page: Opener):
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#announcer")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".code pre").inner_text()


def test_htmx_sends_the_token_of_forms(open_page: Opener, alice):
    """Inheritance is explicit in htmx 4; without it every hx-post would be a 403."""
    page = open_page(alice)
    page.goto("/")
    with page.expect_response("**/organizations/switch/") as answer:
        page.evaluate(
            "htmx.ajax('POST', '/organizations/switch/',"
            " {source: '#main', target: '#announcer'})"
        )
    assert answer.value.status == 404


def test_a_message_is_announced_and_can_be_dismissed(open_page: Opener, alice):
    alice.user.set_password("old and long enough")
    alice.user.save(update_fields=["password"])
    page = open_page(alice)
    page.goto("/account/password/change/")
    page.get_by_label("Current Password").fill("old and long enough")
    page.get_by_label("New Password", exact=True).fill(PASSWORD)
    page.get_by_label("New Password (again)").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    said = page.get_by_role("status").get_by_text("Your password is changed.")
    expect(said).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    expect(said).to_have_count(0)

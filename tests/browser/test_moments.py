"""Pages that a plain address does not show: links of mails, refusals, open menus."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from playwright.sync_api import Page

from accounts import mailbox
from accounts.models import User
from tests.browser.conftest import Opener
from tests.browser.looking import DESK, PHONE, seen
from tests.routes import SECRET
from tests.world import HOSTILE, World, make_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]


def confirming(page: Page) -> None:
    user = User.objects.create_user("erin@example.com", "x", name=HOSTILE)
    address = EmailAddress.objects.create(user=user, email=user.email, primary=True)
    page.goto(f"/account/confirm-email/{EmailConfirmationHMAC.create(address).key}/")


def setting_a_password(page: Page) -> None:
    Client().post("/account/password/reset/", {"email": "dora@example.com"})
    words = str(mail.outbox[-1].body).split()
    link = next(word for word in words if "/key/" in word)
    page.goto(link.removeprefix("http://testserver"))


def wrong_password(page: Page) -> None:
    page.goto("/account/login/")
    page.get_by_label("Email").fill("dora@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()


def bad_sign_up(page: Page) -> None:
    page.goto("/account/signup/")
    page.get_by_label("Email").fill("erin@example.com")
    page.get_by_label("Password").fill("123")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.locator(".error").first.wait_for()


def bad_organization(page: Page) -> None:
    page.goto("/organizations/new/")
    page.get_by_label("Organization name").fill("Ac\u202eme")
    page.get_by_role("button", name="Create organization").click()
    page.locator(".error").first.wait_for()


def refused(page: Page) -> None:
    page.goto("/servers/add/")


def not_there(page: Page) -> None:
    page.goto("/no/such/page/")


def full_mailbox(page: Page) -> None:
    keep_hostile_mail()
    page.goto(f"/mailbox/{SECRET}/")


def hostile_mail(page: Page) -> None:
    page.goto(f"/mailbox/{SECRET}/{keep_hostile_mail()}/")


def keep_hostile_mail() -> str:
    to = ["x" * 200 + "@example.com"]
    message = EmailMultiAlternatives(HOSTILE, HOSTILE, "us@example.com", to)
    message.attach_alternative(f"<h1>Hi</h1>{HOSTILE}", "text/html")
    return mailbox.keep(message.message().as_bytes())


def open_menu(page: Page) -> None:
    page.set_viewport_size({"width": DESK, "height": 800})
    page.goto("/")
    page.locator(".sidebar-end summary").click()


def open_menu_of_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": PHONE, "height": 800})
    page.goto("/")
    page.locator(".topbar summary", has_text="Menu").click()


def open_switcher(page: Page) -> None:
    page.goto("/")
    page.locator(".sidebar summary", has_text="Organization").click()


def open_help(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("?")


SIGNED_OUT = [
    confirming,
    setting_a_password,
    wrong_password,
    bad_sign_up,
    not_there,
    full_mailbox,
    hostile_mail,
]
SIGNED_IN = [
    bad_organization,
    refused,
    not_there,
    open_menu_of_a_phone,
    open_menu,
    open_switcher,
    open_help,
]


@pytest.fixture
def world(transactional_db: None, settings, tmp_path) -> World:
    settings.ACCOUNT_RATE_LIMITS = False
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return make_world()


@pytest.mark.parametrize("who", ["nobody", "dora"])
def test_moments(open_page: Opener, world: World, who):
    page = open_page(world.people.get(who))
    moments = SIGNED_OUT if who == "nobody" else SIGNED_IN
    wrong = {moment.__name__: look(page, moment) for moment in moments}
    assert not any(wrong.values()), wrong


def look(page: Page, moment: Callable[[Page], None]) -> list[str]:
    moment(page)
    return seen(page, f"moment-{moment.__name__}")


def test_too_many_attempts(open_page: Opener, world: World, settings):
    settings.ACCOUNT_RATE_LIMITS = {"signup": "1/m/ip"}
    page = open_page()
    bad_sign_up(page)
    page.get_by_label("Password").fill("123")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.get_by_role("heading", name="Too many attempts").wait_for()
    assert not seen(page, "moment-too-many")

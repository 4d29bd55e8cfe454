"""From sign-up to an organization of one's own, and what it does not tell strangers."""

from __future__ import annotations

import re
import time

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import Membership, Organization, Role, User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def link_in(message: mail.EmailMessage) -> str:
    found = re.search(r"http://testserver(/account/\S+)", str(message.body))
    assert found, message.body
    return found[1]


def sign_up(client: Client, email: str):
    form = {"email": email, "password1": PASSWORD}
    return client.post("/account/signup/", form, follow=True)


def test_sign_up_confirm_and_name_the_organization(client, valkey):
    answer = sign_up(client, "Erin@Example.com")
    assert "Confirm your e-mail address" in answer.content.decode()
    assert client.get("/").context["user"].is_anonymous

    link = link_in(mail.outbox[0])
    assert "erin@example.com" in client.get(link).content.decode()
    answer = client.post(link, follow=True)
    assert answer.redirect_chain[-1][0] == "/organizations/new/"

    form = {"name": "Blue Whale", "zone": "Europe/Paris"}
    answer = client.post("/organizations/new/", form, follow=True)
    assert "Overview" in answer.content.decode()
    organization = Organization.objects.get(slug="blue-whale")
    assert (organization.name, organization.zone) == ("Blue Whale", "Europe/Paris")
    membership = Membership.objects.for_organization(organization).get()
    assert (membership.user.email, membership.role) == ("erin@example.com", Role.OWNER)


def test_opening_the_link_confirms_nothing(client, valkey):
    """Mail scanners open links; only the button confirms."""
    sign_up(client, "erin@example.com")
    client.get(link_in(mail.outbox[0]))
    user = User.objects.get(email="erin@example.com")
    assert not EmailAddress.objects.get(user=user).verified


def test_another_browser_confirms_but_is_not_signed_in(client, valkey):
    sign_up(client, "erin@example.com")
    elsewhere = Client()
    answer = elsewhere.post(link_in(mail.outbox[0]), follow=True)
    assert answer.redirect_chain[-1][0] == "/account/login/"
    assert EmailAddress.objects.get().verified


def test_an_unconfirmed_address_cannot_sign_in(client, valkey):
    sign_up(client, "erin@example.com")
    form = {"login": "erin@example.com", "password": PASSWORD}
    answer = Client().post("/account/login/", form)
    assert answer["Location"] == "/account/confirm-email/"


def test_a_taken_address_looks_the_same_and_only_its_owner_learns(
    client, valkey, alice
):
    fresh = sign_up(client, "erin@example.com")
    taken = sign_up(Client(), "alice@example.com")
    assert taken.redirect_chain == fresh.redirect_chain
    assert without_tokens(taken) == without_tokens(fresh)
    assert mail.outbox[1].to == ["alice@example.com"]
    assert mail.outbox[1].subject == "You have an account already"
    assert User.objects.filter(email="alice@example.com").count() == 1


def test_signing_in_does_not_tell_whether_there_is_an_account(client, valkey, alice):
    wrong = [sign_in_with(name) for name in ("alice@example.com", "erin@example.com")]
    pages = [without_tokens(answer) for answer in wrong]
    assert pages[0].replace("alice@", "@") == pages[1].replace("erin@", "@")


def test_an_unknown_address_costs_the_time_of_a_hash(
    client, valkey, alice, dear_hashes
):
    alice.user.set_password(PASSWORD)
    alice.user.save()

    def seconds(email: str) -> float:
        begun = time.perf_counter()
        sign_in_with(email)
        return time.perf_counter() - begun

    sign_in_with("alice@example.com")
    known = min(seconds("alice@example.com") for _ in range(3))
    unknown = min(seconds(f"nobody{n}@example.com") for n in range(3))
    assert unknown > known / 2


def sign_in_with(email: str):
    return Client().post("/account/login/", {"login": email, "password": "wrong"})


def without_tokens(answer) -> str:
    page = answer.content.decode()
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)


def test_a_reset_for_nobody_looks_like_one_for_somebody(client, valkey, alice):
    pages = []
    for email in ("alice@example.com", "erin@example.com"):
        answer = Client().post("/account/password/reset/", {"email": email})
        pages.append((answer.status_code, answer["Location"]))
    assert pages[0] == pages[1]
    subjects = {message.to[0]: message.subject for message in mail.outbox}
    assert subjects["alice@example.com"] == "Set your password"
    assert subjects["erin@example.com"] == "There is no account with this address"


def test_a_reset_link_sets_a_password_once(client, valkey, alice):
    client.post("/account/password/reset/", {"email": "alice@example.com"})
    link = link_in(mail.outbox[0])
    form = client.get(link, follow=True)
    place = form.redirect_chain[-1][0]
    new = {"password1": "another long one", "password2": "another long one"}
    assert client.post(place, new, follow=True).status_code == 200
    assert sign_in_ok("alice@example.com", "another long one")
    assert "This link does not work" in Client().get(link).content.decode()


def sign_in_ok(email: str, password: str) -> bool:
    client = Client()
    client.post("/account/login/", {"login": email, "password": password})
    return "_auth_user_id" in client.session


def test_attempts_are_limited_by_address_and_by_account(client, valkey, alice):
    for _ in range(10):
        sign_in_with("alice@example.com")
    page = sign_in_with("alice@example.com").content.decode()
    assert "Too many failed login attempts" in page
    assert not sign_in_ok("alice@example.com", PASSWORD)
    many = [sign_in_with(f"erin{n}@example.com").status_code for n in range(30)]
    assert many[-1] == 429


def test_the_session_is_a_new_one_after_signing_in(client, valkey, alice):
    client.get("/account/login/")
    client.session["before"] = "yes"
    before = client.session.session_key
    client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    assert client.session.session_key not in (None, before)


def test_a_mail_server_that_fails_is_told(client, valkey, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = sign_up(client, "erin@example.com")
    assert answer.status_code == 503
    assert "The mail could not be sent" in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme", "acme"),
        ("<script>alert(1)</script>", "scriptalert1script"),
        ("日本", "organization"),
        ("x" * 120, "x" * 48),
    ],
)
def test_slugs_of_names(client, name, slug):
    user = User.objects.create_user("erin@example.com", "x")
    client.force_login(user)
    client.post("/organizations/new/", {"name": name, "zone": "Etc/UTC"})
    assert Organization.objects.get().slug == slug


def test_a_taken_slug_gets_an_ending_that_counts_nothing(client, acme):
    client.force_login(User.objects.create_user("erin@example.com", "x"))
    client.post("/organizations/new/", {"name": "Acme", "zone": "Etc/UTC"})
    slugs = Organization.objects.exclude(pk=acme.pk).values_list("slug", flat=True)
    assert re.fullmatch(r"acme-[0-9a-f]{6}", slugs[0])


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "", "zone": "Etc/UTC"},
        {"name": "Ac\u202eme", "zone": "Etc/UTC"},
        {"name": "Ac\u0007me", "zone": "Etc/UTC"},
        {"name": "x" * 121, "zone": "Etc/UTC"},
        {"name": "Acme", "zone": "Mars/Base"},
    ],
)
def test_a_bad_organization_is_refused_and_what_was_typed_stays(client, bad):
    client.force_login(User.objects.create_user("erin@example.com", "x"))
    answer = client.post("/organizations/new/", bad)
    assert answer.status_code == 422
    assert answer.context["form"]["name"].value() == bad["name"]
    assert not Organization.objects.exists()


def test_switching_goes_only_to_ones_own(client, alice, other, charlie):
    Membership.objects.create(organization=other, user=alice.user, role=Role.VIEWER)
    client.force_login(alice.user)
    client.post("/organizations/switch/", {"organization": str(other.pk)})
    assert client.get("/").context["request"].organization == other
    client.force_login(charlie.user)
    mine = {"organization": str(alice.organization_id)}
    assert client.post("/organizations/switch/", mine).status_code == 404
    assert (
        client.post("/organizations/switch/", {"organization": "x"}).status_code == 404
    )


@pytest.mark.parametrize(
    ("back", "to"),
    [
        ("/servers/?q=a", "/servers/?q=a"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("", "/"),
    ],
)
def test_the_theme_is_kept_in_a_cookie_and_goes_nowhere_else(client, back, to):
    answer = client.post("/theme/", {"theme": "dark", "next": back})
    assert answer["Location"] == to
    assert 'data-theme="dark"' in client.get("/").content.decode()
    assert client.post("/theme/", {"theme": "evil"}).status_code == 400
    client.cookies["theme"] = '"><script>'
    assert 'data-theme="auto"' in client.get("/").content.decode()

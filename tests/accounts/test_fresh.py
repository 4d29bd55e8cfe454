"""What counts as a fresh sign-in, asked through the real sign-in pages."""

from __future__ import annotations

import re

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.test import Client, RequestFactory

from accounts.fresh import is_fresh, to_reauthenticate
from accounts.models import Membership
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def fresh(client: Client, membership: Membership) -> bool:
    """As a view would ask it, of the session that this client has."""
    request = RequestFactory().get("/")
    request.user = membership.user
    request.session = client.session
    return is_fresh(request)


def sign_in(client: Client, email: str = "alice@example.com") -> None:
    form = {"login": email, "password": PASSWORD}
    assert client.post("/account/login/", form).status_code == 302


def grow_older(client: Client, seconds: int) -> None:
    session = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= seconds
    session.save()


def test_a_sign_in_is_fresh_for_five_minutes(client, valkey, alice):
    sign_in(client)
    assert fresh(client, alice)
    grow_older(client, 290)
    assert fresh(client, alice)
    grow_older(client, 15)
    assert not fresh(client, alice)


def test_the_password_once_more_makes_it_fresh(client, valkey, alice):
    sign_in(client)
    grow_older(client, 400)
    page = to_reauthenticate(RequestFactory().get("/x"), "/servers/?q=a")
    asked = client.get(page["Location"])
    assert "Confirm that it is you" in asked.content.decode()
    answer = client.post(page["Location"], {"password": "wrong"})
    assert answer.status_code == 200
    assert not fresh(client, alice)
    answer = client.post(
        page["Location"], {"password": PASSWORD, "next": "/servers/?q=a"}
    )
    assert answer["Location"] == "/servers/?q=a"
    assert fresh(client, alice)


def test_a_session_without_a_password_is_not_fresh(client, valkey, alice):
    client.force_login(alice.user)
    assert not fresh(client, alice)


def test_what_somebody_else_gave_does_not_count(client, valkey, alice, bob):
    sign_in(client)
    assert not fresh(client, bob)
    request = RequestFactory().get("/")
    request.user, request.session = AnonymousUser(), client.session
    assert not is_fresh(request)


def test_a_record_of_a_time_to_come_does_not_count(client, valkey, alice):
    sign_in(client)
    grow_older(client, -60)
    assert not fresh(client, alice)


def test_a_link_from_a_mail_is_no_proof(client, valkey):
    """The sign-in by a verified address: fresh only once the password was given."""
    form = {"email": "erin@example.com", "password1": PASSWORD}
    client.post("/account/signup/", form)
    link = re.search(r"http://testserver(/account/\S+)", str(mail.outbox[0].body))
    assert link
    client.post(link[1])
    user = client.get("/account/password/change/").wsgi_request.user
    assert user.email == "erin@example.com"
    assert not fresh(client, Membership(user=user))


def test_a_link_that_sets_a_password_is_no_proof(client, valkey, alice):
    client.force_login(alice.user)
    request = RequestFactory().get("/")
    request.user, request.session = alice.user, client.session
    record_authentication(request, alice.user, method="password_reset")
    assert not is_fresh(request)
    record_authentication(request, alice.user, method="password")
    assert is_fresh(request)


def test_a_part_of_a_page_sends_the_whole_page(valkey):
    request = RequestFactory().post("/x", headers={"HX-Request": "true"})
    answer = to_reauthenticate(request, "/servers/")
    assert answer["HX-Redirect"] == "/account/reauthenticate/?next=/servers/"

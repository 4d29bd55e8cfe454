"""Pages of API tokens: shown once, one's own, and deciding after a fresh sign-in."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts import api_tokens
from accounts.models import ApiToken, Role
from tests.conftest import PASSWORD, member

pytestmark = pytest.mark.django_db
LIST, NEW = "/settings/tokens/", "/settings/tokens/new/"
READ = {"label": "ci", "scopes": ["approvals:read"], "lasts": "90"}
DECIDE = READ | {"scopes": ["approvals:read", "approvals:decide"]}


@pytest.fixture(autouse=True)
def no_rate_limits(valkey, settings):
    settings.ACCOUNT_RATE_LIMITS = False


def tokens() -> list[ApiToken]:
    return list(ApiToken.objects.across_organizations().order_by("label"))


def shown(answer) -> str | None:
    found = re.search(r"plm_[0-9A-Za-z]{40}", answer.content.decode())
    return found[0] if found else None


def test_it_is_shown_once(alice, sign_in):
    client = sign_in(alice)
    answer = client.post(NEW, READ)
    token = shown(answer)
    assert token
    assert "no-store" in answer["Cache-Control"]
    assert api_tokens.find(token)
    assert shown(client.get(LIST)) is None
    [row] = tokens()
    assert row.expires_at
    days = (row.expires_at - row.created_at).total_seconds() / 86_400
    assert 89.9 < days < 90.1


def test_one_until_it_is_revoked(alice, sign_in):
    sign_in(alice).post(NEW, READ | {"lasts": "never"})
    assert tokens()[0].expires_at is None


def test_to_decide_takes_the_setting_and_a_fresh_sign_in(acme, alice, sign_in):
    client = sign_in(alice)
    assert client.post(NEW, DECIDE).status_code == 422
    acme.api_decisions = True
    acme.save()
    answer = client.post(NEW, DECIDE)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/reauthenticate/?next=/settings/")
    assert tokens() == []
    answer = client.post(answer["Location"], {"password": PASSWORD})
    # What was typed is there again.
    page = client.get(answer["Location"]).content.decode()
    assert 'value="ci"' in page
    assert page.count("checked") >= 2
    assert shown(client.post(NEW, DECIDE))
    assert tokens()[0].scopes == ["approvals:read", "approvals:decide"]


def test_a_viewer_is_not_offered_to_decide(acme, dora, sign_in):
    acme.api_decisions = True
    acme.save()
    client = sign_in(dora)
    assert "approvals:decide" not in client.get(NEW).content.decode()
    assert client.post(NEW, DECIDE).status_code == 422


def test_one_sees_and_ends_ones_own_and_admins_all(acme, bob, dora, sign_in):
    mine, admin = sign_in(bob), sign_in(member(acme, "adam", Role.ADMIN))
    token = shown(mine.post(NEW, READ))
    place = f"{LIST}{tokens()[0].pk}/revoke/"
    other = sign_in(dora)
    assert tokens()[0].token_prefix not in text(other)
    assert tokens()[0].token_prefix in text(mine)
    assert other.post(place).status_code == 403
    assert "bob@example.com" in text(admin)
    assert mine.get(place).status_code == 200
    assert token and api_tokens.find(token)
    assert admin.post(place).status_code == 302
    assert api_tokens.find(token) is None


def text(client: Client) -> str:
    return client.get(LIST).content.decode()


def test_many_are_paged_and_searched(alice, sign_in, monkeypatch):
    monkeypatch.setattr("accounts.token_views.PAGE", 3)
    client = sign_in(alice)
    for number in range(5):
        client.post(NEW, READ | {"label": f"bot {number}"})
    first = text(client)
    older = re.search(r'rel="next" href="(\?before=[^"]+)"', first)
    assert older
    second = client.get(LIST + older[1]).content.decode()
    for number in range(5):
        assert (f"bot {number}" in first) == (number >= 2)
        assert (f"bot {number}" in second) == (number < 2)
    found = client.get(LIST, {"q": "bot 3"}).content.decode()
    assert "bot 3" in found
    assert "bot 4" not in found

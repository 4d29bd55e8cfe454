from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import GenerationChange, Role
from policies import granting, publishing, tokens
from policies.models import Grant
from servers.models import Server
from tests.conftest import member


def given(policy, holder, **more):
    return {"label": "bot", "policy": str(policy.pk), "member": str(holder.pk)} | more


def only() -> Grant:
    return Grant.objects.across_organizations().get()


@pytest.fixture
def client(sign_in, bob):
    return sign_in(bob)


def test_the_token_is_shown_exactly_once(client, support, bob):
    answer = client.post(
        "/grants/new/", given(support, bob, tags="prod, eu", expires_at="")
    )
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    grant, page = only(), answer.content.decode()
    [token] = {
        word.strip('"<>&;\\')
        for word in page.replace('"', " ").replace("<", " ").replace("&", " ").split()
        if tokens.well_formed(word.strip("'"))
    }
    assert tokens.digest(token) == bytes(grant.token_hash)
    assert grant.tags == ["prod", "eu"]
    assert f"--header &quot;Authorization: Bearer {token}&quot;" in page
    for address in ("", "connect/"):
        later = client.get(f"/grants/{grant.pk}/{address}").content.decode()
        assert token not in later
        assert grant.token_prefix in later
    assert token not in str(dict(client.session))


def test_sending_the_form_again_makes_no_second_grant(client, support, bob):
    client.post("/grants/new/", given(support, bob))
    again = client.post("/grants/new/", given(support, bob))
    assert again.status_code == 422
    assert "Another grant has this label" in again.content.decode()
    assert only()


def test_expiry_is_read_in_the_zone_of_the_organization(client, support, bob, acme):
    acme.zone = "Asia/Tokyo"
    acme.save()
    year = timezone.now().year + 1
    client.post("/grants/new/", given(support, bob, expires_at=f"{year}-03-01T09:00"))
    assert only().expires_at == datetime(year, 3, 1, 0, 0, tzinfo=UTC)
    page = client.get(f"/grants/{only().pk}/").content.decode()
    assert f'value="{year}-03-01T09:00"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", ""),
        ("label", "a\u202eb"),
        ("tags", "a, a"),
        ("expires_at", "2001-01-01T00:00"),
        ("expires_at", "soon"),
        ("policy", "x"),
        ("member", "x"),
    ],
)
def test_a_bad_form_is_shown_again_as_it_was(client, support, bob, field, value):
    answer = client.post("/grants/new/", given(support, bob) | {field: value})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {field}
    assert not Grant.objects.across_organizations().exists()


def test_a_policy_manager_mints_for_nobody_else(client, support, alice, sign_in):
    assert client.post("/grants/new/", given(support, alice)).status_code == 422
    page = client.get("/grants/new/").content.decode()
    assert "alice@example.com" not in page
    admin = member(alice.organization, "erin", Role.ADMIN)
    assert sign_in(admin).post("/grants/new/", given(support, alice)).status_code == 200
    assert only().membership == alice


def test_a_policy_of_another_organization_is_no_choice(client, support, bob, other):
    from policies import publishing

    theirs = Server.objects.create(organization=other, name="theirs", url="x")
    policy = publishing.create(theirs, "their policy", "", None)
    answer = client.post("/grants/new/", given(policy, bob))
    assert answer.status_code == 422
    assert "their policy" not in client.get("/grants/new/").content.decode()


def test_a_grant_without_a_policy_says_that_all_is_denied(client, payments, bob):
    form = {"label": "bot", "policy": f"server-{payments.public_id}"}
    answer = client.post("/grants/new/", form | {"member": str(bob.pk)})
    assert "every call is denied until it has one" in answer.content.decode()
    page = client.get(f"/grants/{only().pk}/").content.decode()
    assert "This grant has no policy: every call is denied" in page


@pytest.fixture
def grant(bob, payments, support) -> Grant:
    return granting.mint(
        bob, holder=bob, server=payments, policy=support, label="bot", tags=["prod"]
    ).grant


def edited(grant, **more):
    fields = {"label": grant.label, "tags": "prod", "policy": str(grant.policy_id)}
    return fields | more


def test_changing_a_grant(client, grant):
    before = GenerationChange.objects.count()
    answer = client.post(
        f"/grants/{grant.pk}/edit/", edited(grant, tags="prod, eu", policy="")
    )
    assert answer.status_code == 302
    grant.refresh_from_db()
    assert (grant.tags, grant.policy) == (["prod", "eu"], None)
    assert GenerationChange.objects.count() == before + 1


def test_the_tool_that_asks_what_became_of_a_request(client, grant):
    place = f"/grants/{grant.pk}/edit/"
    for switch in ({"helper_tool": "on"}, {}):
        client.post(place, edited(grant) | switch)
        grant.refresh_from_db()
        assert grant.helper_tool == bool(switch)
        page = client.get(f"/grants/{grant.pk}/").content.decode()
        box = page[page.index('name="helper_tool"') :].partition(">")[0]
        assert ("checked" in box) == bool(switch)


def test_a_refused_change_is_shown_and_nothing_of_it_stored(client, grant, support):
    answer = client.post(f"/grants/{grant.pk}/edit/", edited(grant, label=" \u200b"))
    assert answer.status_code == 422
    grant.refresh_from_db()
    assert grant.label == "bot"
    assert "<h1><bdi>bot</bdi></h1>" in answer.content.decode()


def test_an_expired_grant_can_be_changed_with_its_expiry_untouched(client, grant):
    past = timezone.now().replace(second=0, microsecond=0) - timedelta(hours=1)
    Grant.objects.across_organizations().update(expires_at=past)
    form = client.get(f"/grants/{grant.pk}/").context["form"]
    at = form["expires_at"].value()
    answer = client.post(
        f"/grants/{grant.pk}/edit/",
        edited(grant, tags="", expires_at=at.strftime("%Y-%m-%dT%H:%M")),
    )
    assert answer.status_code == 302


def test_seconds_of_an_expiry_are_not_lost_by_saving(client, grant):
    later = timezone.now().replace(second=42, microsecond=7) + timedelta(days=1)
    Grant.objects.across_organizations().update(expires_at=later)
    client.post(
        f"/grants/{grant.pk}/edit/",
        edited(grant, tags="x", expires_at=later.strftime("%Y-%m-%dT%H:%M")),
    )
    grant.refresh_from_db()
    assert (grant.tags, grant.expires_at) == (["x"], later)


def test_revoking_asks_and_says_what_ends(client, grant):
    page = client.get(f"/grants/{grant.pk}/revoke/").content.decode()
    assert "ends with its next call" in page
    grant.refresh_from_db()
    assert grant.revoked_at is None
    before = GenerationChange.objects.count()
    client.post(f"/grants/{grant.pk}/revoke/")
    grant.refresh_from_db()
    assert grant.revoked_at is not None
    assert GenerationChange.objects.count() == before + 1
    page = client.get(f"/grants/{grant.pk}/").content.decode()
    assert "Change</h2>" not in page
    answer = client.post(f"/grants/{grant.pk}/edit/", edited(grant, tags="x"))
    assert answer.status_code == 422
    assert "revoked; mint another" in answer.content.decode()


def test_others_grants_are_seen_and_not_touched(sign_in, grant, dora, acme):
    other_manager = member(acme, "frank", Role.POLICY_MANAGER)
    for who in (dora, other_manager):
        client = sign_in(who)
        page = client.get(f"/grants/{grant.pk}/").content.decode()
        assert "Revoke" not in page
        assert "Change</h2>" not in page
        assert client.post(f"/grants/{grant.pk}/revoke/").status_code == 403
        assert client.post(f"/grants/{grant.pk}/edit/", {}).status_code == 403
    grant.refresh_from_db()
    assert grant.revoked_at is None


def test_the_connect_page_names_every_client_and_the_endpoint(client, grant, settings):
    page = client.get(f"/grants/{grant.pk}/connect/").content.decode()
    endpoint = f"{settings.BASE_URL}/mcp/{grant.server.public_id}"
    assert page.count(endpoint) > 7
    for name in ("Claude Code", "Cursor", "VS Code", "ChatGPT", "Codex", "Gemini CLI"):
        assert name in page
    assert "YOUR_TOKEN" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"bot", "second", "old"}),
        ("q=SECO", {"second"}),
        ("q=prod", {"bot"}),
        ("q=bob@", {"bot", "second", "old"}),
        ("q=support", {"bot"}),
        ("state=active", {"bot"}),
        ("state=revoked", {"old"}),
        ("state=expired", {"second"}),
        ("server=nope", set()),
        ("before=nonsense", {"bot", "second", "old"}),
    ],
)
def test_the_list_is_filtered_by_its_address(
    client, grant, bob, payments, query, found
):
    for label in ("second", "old"):
        granting.mint(bob, holder=bob, server=payments, policy=None, label=label)
    rows = Grant.objects.across_organizations()
    rows.filter(label="second").update(expires_at=timezone.now())
    rows.filter(label="old").update(revoked_at=timezone.now())
    answer = client.get(f"/grants/?{query}")
    assert {each.label for each in answer.context["grants"]} == found


def test_the_list_goes_on_where_the_page_ends(client, bob, payments, monkeypatch):
    from policies import grant_views

    monkeypatch.setattr(grant_views, "PAGE", 2)
    for number in range(5):
        granting.mint(bob, holder=bob, server=payments, policy=None, label=f"g{number}")
    Grant.objects.across_organizations().update(created_at=timezone.now())
    seen, address = [], "/grants/"
    for _ in range(3):
        answer = client.get(address)
        seen += [each.label for each in answer.context["grants"]]
        page = answer.content.decode()
        if 'rel="next"' in page:
            query = page.split('rel="next" href="')[1].split('"')[0]
            address = "/grants/" + query.replace("&amp;", "&")
    assert sorted(seen) == [f"g{number}" for number in range(5)]


def test_a_policy_that_nobody_else_could_decide_about_is_refused(client, support, bob):
    entry = '{"action": "require_approval"}'
    asks = f'{{"version": "1", "default": "allow", "tools": {{"x": {entry}}}}}'
    publishing.publish_text(support, asks, None)

    answer = client.post("/grants/new/", given(support, bob))

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "/tools/x/action asks about calls of the grant “bot”" in page
    assert "invite somebody, or set self_approval" in page
    assert not Grant.objects.across_organizations().exists()

"""From an address to a member: the mail, its link, and whom it lets in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from accounts import invitation_mail, invitations
from accounts.models import Invitation, Membership, Organization, Role, User
from tests.conftest import PASSWORD, member
from tests.world import HOSTILE

pytestmark = pytest.mark.django_db
ERIN = "erin@example.com"
OTHER_PASSWORD = "another horse battery"


@pytest.fixture(autouse=True)
def no_rate_limits(valkey, settings):
    settings.ACCOUNT_RATE_LIMITS = False


def invite(client: Client, email: str = ERIN, role: str = "approver"):
    form = {"email": email, "role": role}
    return client.post("/settings/members/invite/", form, follow=True)


def link(number: int = -1) -> str:
    """The path that the mail leads to."""
    found = re.findall(r"http://\S+?(/invitations/\S+)", str(mail.outbox[number].body))
    assert len(found) == 1
    return str(found[0])


def invited(alice: Membership, email: str = ERIN, role: str = "approver") -> str:
    client = Client()
    client.force_login(alice.user)
    invite(client, email, role)
    return link()


def role_of(email: str, organization: Organization) -> str | None:
    rows = Membership.objects.for_organization(organization)
    found = rows.filter(user__email=email).first()
    return found.role if found else None


def messages_of(answer: Any) -> str:
    return " ".join(str(each) for each in answer.context["messages"])


# -- whom it lets in ---------------------------------------------------------------


def test_a_new_account_by_one_mail(acme, alice, client):
    path = invited(alice)
    page = client.get(path).content.decode()
    assert "Join <bdi>Acme</bdi>" in page
    assert "as approver" in page
    answer = client.post(path, {"password1": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == "/"
    assert answer.context["user"].email == ERIN
    assert answer.wsgi_request.organization == acme
    assert role_of(ERIN, acme) == Role.APPROVER
    assert EmailAddress.objects.get(email=ERIN).verified
    assert len(mail.outbox) == 1
    signed_in = Client().post(
        "/account/login/", {"login": ERIN, "password": PASSWORD}, follow=True
    )
    assert signed_in.context["user"].is_authenticated


def test_the_address_is_the_one_that_was_invited(acme, alice, client):
    path = invited(alice)
    form = {"email": "eve@example.com", "password1": PASSWORD}
    client.post(path, form)
    assert User.objects.filter(email=ERIN).exists()
    assert not User.objects.filter(email="eve@example.com").exists()


def test_a_weak_password_is_refused(acme, alice, client):
    path = invited(alice)
    answer = client.post(path, {"password1": "short"})
    assert answer.status_code == 422
    assert not User.objects.filter(email=ERIN).exists()
    assert client.get(path).status_code == 200


def test_an_existing_account_signs_in_and_joins(acme, other, alice, client):
    member(other, "erin", Role.VIEWER)
    path = invited(alice)
    page = client.get(path).content.decode()
    assert f'href="/account/login/?next={path}"' in page
    assert "Password" not in page
    assert client.post(path)["Location"] == f"/account/login/?next={path}"
    form = {"login": ERIN, "password": PASSWORD, "next": path}
    answer = client.post("/account/login/", form, follow=True)
    assert answer.redirect_chain[-1][0] == path
    assert role_of(ERIN, acme) is None
    answer = client.post(path, follow=True)
    assert "You are a member of" in messages_of(answer)
    assert answer.wsgi_request.organization == acme
    assert role_of(ERIN, acme) == Role.APPROVER


def test_somebody_elses_session_does_not_join(acme, alice, charlie, sign_in):
    path = invited(alice)
    client = sign_in(charlie)
    page = client.get(path).content.decode()
    assert "signed in as" in page
    assert client.post(path).status_code == 403
    assert role_of("charlie@example.com", acme) is None
    answer = client.post("/account/logout/", {"next": path})
    assert answer["Location"] == path
    assert "Create account and join" in client.get(path).content.decode()


def test_the_password_of_an_account_cannot_be_set_by_the_link(acme, other, alice):
    erin = member(other, "erin", Role.VIEWER)
    path = invited(alice)
    Client().post(path, {"password1": OTHER_PASSWORD})
    erin.user.refresh_from_db()
    assert erin.user.check_password(PASSWORD)
    row = Invitation.objects.across_organizations().get()
    with pytest.raises(PermissionDenied):
        invitations.open_account(row, OTHER_PASSWORD)


def test_a_password_chosen_for_a_strangers_address_is_worth_nothing(acme, alice):
    """Somebody signed up with erin's address, which they cannot read."""
    Client().post("/account/signup/", {"email": ERIN, "password1": OTHER_PASSWORD})
    path = invited(alice)
    Client().post(path, {"password1": PASSWORD})
    erin = User.objects.get(email=ERIN)
    assert erin.check_password(PASSWORD)
    assert role_of(ERIN, acme) == Role.APPROVER
    form = {"login": ERIN, "password": OTHER_PASSWORD}
    answer = Client().post("/account/login/", form, follow=True)
    assert not answer.context["user"].is_authenticated


def test_an_account_that_was_closed_stays_closed(acme, other, alice, client):
    erin = member(other, "erin", Role.VIEWER)
    User.objects.filter(pk=erin.user.pk).update(is_active=False, password="!")
    path = invited(alice)
    assert client.post(path, {"password1": PASSWORD}).status_code == 302
    erin.user.refresh_from_db()
    assert not erin.user.has_usable_password()
    assert role_of(ERIN, acme) is None


def test_another_person_cannot_accept_it(acme, alice, charlie):
    row = invitations.find(invited(alice).split("/")[2])
    assert row
    with pytest.raises(PermissionDenied):
        invitations.accept(row, charlie.user)
    assert role_of("charlie@example.com", acme) is None
    assert invitations.find(link().split("/")[2])


def test_who_is_a_member_already_keeps_the_role(acme, alice, client):
    path = invited(alice)
    erin = member(acme, "erin", Role.ADMIN)
    client.force_login(erin.user)
    client.post(path)
    assert role_of(ERIN, acme) == Role.ADMIN
    assert client.get(path).status_code == 404


# -- the link ----------------------------------------------------------------------


def test_only_a_post_joins(acme, alice, client):
    path = invited(alice)
    rows = Invitation.objects.across_organizations()
    before = rows.values().get()
    for _ in range(3):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
        assert client.options(path).status_code in {200, 405}
    assert rows.values().get() == before
    assert role_of(ERIN, acme) is None
    assert not User.objects.filter(email=ERIN).exists()


def test_a_form_without_its_token_joins_nobody(acme, alice):
    path = invited(alice)
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(path, {"password1": PASSWORD}).status_code == 403
    assert role_of(ERIN, acme) is None


def test_it_works_once(acme, alice):
    path = invited(alice)
    Client().post(path, {"password1": PASSWORD})
    Membership.objects.for_organization(acme).exclude(pk=alice.pk).update(
        left_at=timezone.now()
    )
    erin = Client()
    erin.force_login(User.objects.get(email=ERIN))
    for client in (Client(), erin):
        assert client.get(path).status_code == 404
        assert client.post(path, {"password1": OTHER_PASSWORD}).status_code == 404
    assert role_of(ERIN, acme) is None


def test_two_clicks_at_once_are_one(acme, alice):
    """The page of the second was drawn before the first."""
    path = invited(alice)
    row = invitations.find(path.split("/")[2])
    assert row
    invitations.open_account(row, PASSWORD)
    erin = User.objects.get(email=ERIN)
    with pytest.raises(invitations.Gone):
        invitations.accept(row, erin)
    with pytest.raises(PermissionDenied):
        invitations.open_account(row, OTHER_PASSWORD)
    assert User.objects.get(email=ERIN).check_password(PASSWORD)


@pytest.mark.parametrize(
    "ended",
    [
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"withdrawn_at": timezone.now()},
        {"accepted_at": timezone.now()},
    ],
)
def test_expired_withdrawn_and_used_links_are_the_same(acme, alice, client, ended):
    path = invited(alice)
    row = invitations.find(path.split("/")[2])
    Invitation.objects.across_organizations().update(**ended)
    answer = client.post(path, {"password1": PASSWORD})
    assert answer.status_code == 404
    unknown = client.get("/invitations/never-was/").content
    assert strip(answer.content) == strip(unknown)
    assert row
    with pytest.raises(invitations.Gone):
        invitations.open_account(row, PASSWORD)
    assert not User.objects.filter(email=ERIN).exists()


def strip(page: bytes) -> bytes:
    page = re.sub(rb'csrfmiddlewaretoken" value="\w+"', b"", page)
    return re.sub(rb"/invitations/[\w-]+/", b"", page)


def test_it_ends_with_the_organization(acme, alice, client):
    path = invited(alice)
    acme.delete()
    assert client.get(path).status_code == 404


def test_it_outlasts_the_inviter(acme, alice, client):
    adam = member(acme, "adam", Role.ADMIN)
    path = invited(adam)
    adam.role = Role.VIEWER
    adam.save()
    client.post(path, {"password1": PASSWORD})
    assert role_of(ERIN, acme) == Role.APPROVER


def test_only_a_hash_is_kept_and_the_token_is_long(acme, alice):
    path = invited(alice)
    token = path.split("/")[2]
    assert len(token) >= 43
    row = Invitation.objects.across_organizations().values().get()
    assert token not in repr(row)
    assert row["expires_at"] - row["created_at"] < timedelta(days=7, minutes=1)


# -- inviting ----------------------------------------------------------------------


def test_inviting_tells_nothing_of_accounts(acme, other, alice, sign_in):
    member(other, "erin", Role.VIEWER)
    client = sign_in(alice)
    known, unknown = invite(client), invite(client, "fred@example.com")
    assert messages_of(known).replace("erin", "") == messages_of(unknown).replace(
        "fred", ""
    )
    first, second = (str(each.body) for each in mail.outbox)
    blank = [re.sub(r"invitations/\S+", "", each) for each in (first, second)]
    assert blank[0] == blank[1]


@pytest.mark.parametrize(
    ("by", "role", "may"),
    [
        (Role.OWNER, "owner", True),
        (Role.ADMIN, "admin", True),
        (Role.ADMIN, "owner", False),
        (Role.POLICY_MANAGER, "viewer", False),
    ],
)
def test_who_may_invite_to_which_role(acme, sign_in, by, role, may):
    acting = member(acme, "mia", by)
    answer = invite(sign_in(acting), role=role)
    assert bool(mail.outbox) == may
    assert Invitation.objects.across_organizations().exists() == may
    assert answer.status_code in ({200} if may else {403, 422})
    if not may:
        with pytest.raises(PermissionDenied):
            invitations.invite(acting, ERIN, role)


def test_an_admin_cannot_touch_an_owners_invitation(acme, alice, sign_in):
    path = invited(alice, role="owner")
    adam = sign_in(member(acme, "adam", Role.ADMIN))
    row = Invitation.objects.across_organizations().get()
    for act in ("withdraw", "resend"):
        place = f"/settings/members/invitations/{row.pk}/{act}/"
        assert adam.post(place).status_code == 403
    assert invite(adam).status_code == 422
    assert Client().get(path).status_code == 200


def test_sending_again_makes_another_link(acme, alice, sign_in):
    first = invited(alice)
    row = Invitation.objects.across_organizations().get()
    sign_in(alice).post(f"/settings/members/invitations/{row.pk}/resend/")
    second = link()
    assert first != second
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200


def test_withdrawing_ends_the_link(acme, alice, sign_in):
    path = invited(alice)
    row = Invitation.objects.across_organizations().get()
    sign_in(alice).post(f"/settings/members/invitations/{row.pk}/withdraw/")
    assert Client().get(path).status_code == 404


def test_a_member_is_not_invited_again(acme, alice, bob):
    with pytest.raises(ValidationError):
        invitations.invite(alice, "Bob@Example.com", "viewer")


def test_nobody_sends_mails_to_strangers_through_us(acme, other, alice, monkeypatch):
    monkeypatch.setattr(invitations, "OPEN_MOST", 3)
    for number in range(3):
        invitations.invite(alice, f"a{number}@example.com", "viewer")
    with pytest.raises(ValidationError, match="open"):
        invitations.invite(alice, "a3@example.com", "viewer")
    monkeypatch.setattr(invitations, "OPEN_MOST", 50)
    monkeypatch.setattr(invitations, "A_DAY_TO_ONE", 2)
    invitations.invite(alice, "a0@example.com", "viewer")
    with pytest.raises(ValidationError, match="within a day"):
        invitations.invite(alice, "a0@example.com", "viewer")
    monkeypatch.setattr(invitations, "A_DAY_MOST", 4)
    with pytest.raises(ValidationError, match="go on tomorrow"):
        invitations.invite(alice, "b@example.com", "viewer")
    # Nor by making organizations.
    elsewhere = Membership.objects.create(
        organization=other, user=alice.user, role=Role.OWNER
    )
    with pytest.raises(ValidationError, match="go on tomorrow"):
        invitations.invite(elsewhere, "b@example.com", "viewer")
    long_ago = timezone.now() - timedelta(days=1)
    Invitation.objects.across_organizations().update(created_at=long_ago)
    invitations.invite(elsewhere, "b@example.com", "viewer")


def test_a_mail_that_fails_is_told(acme, alice, sign_in, monkeypatch, caplog):
    def refused(*args, **kwargs):
        raise OSError("no mail server")

    monkeypatch.setattr(mail.EmailMultiAlternatives, "send", refused)
    answer = invite(sign_in(alice))
    assert "could not be sent" in messages_of(answer)
    assert "no mail server" in caplog.text


# -- the mail ----------------------------------------------------------------------


def test_the_mail_says_who_where_what_and_how_long(acme, alice, settings):
    settings.BASE_URL = "https://gateway.example"
    acme.zone = "Europe/Paris"
    acme.save()
    sent = invitations.invite(alice, ERIN, "policy_manager")
    message = invitation_mail.message(sent)
    html = str(message.alternatives[0][0])
    assert message.subject == "You are invited to an organization on PolicyLayer"
    assert message.to == [ERIN]
    for part in (message.body, html):
        assert "alice" in part
        assert "Acme" in part
        assert "Policy manager" in part
        assert "(Europe/Paris)" in part
        assert part.count(f"https://gateway.example/invitations/{sent.token}/") == 1
    assert len(re.findall(r"<a ", html)) == 1
    assert "<img" not in html


def test_a_hostile_name_stays_a_name(acme, alice):
    acme.name = f"{HOSTILE[:60]}\r\nBcc: eve@evil.example http://evil.example/x"
    acme.save()
    alice.organization.refresh_from_db()
    message = invitation_mail.message(invitations.invite(alice, ERIN, "viewer"))
    raw = message.message().as_string()
    html = str(message.alternatives[0][0])
    assert "evil" not in message.subject
    assert message.recipients() == [ERIN]
    assert "<script" not in html
    assert "&lt;script" in html
    for part in (message.body, html):
        assert "\u202e" not in part
        assert "U+202E" in part
        assert "evil.example" not in part
        assert "http://evil" not in part
        assert "\nBcc" not in part
    assert "\nBcc" not in raw.partition("\n\n")[0]

"""The first statement of every view: who asks, for whom, and may they."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from accounts import access
from accounts.models import Membership, Organization, Role, User
from accounts.tenancy import TenantMissing
from tests.conftest import member


def request_of(user, organization=None):
    request = RequestFactory().get("/servers/?q=a")
    request.user = user
    request.session = SessionStore()
    if organization:
        request.session[access.SESSION_KEY] = str(organization.pk)
    return request


@access.membership_required(Role.APPROVER)
def page(request: access.MemberRequest) -> HttpResponse:
    return HttpResponse(f"{request.organization.slug} {request.membership.role}")


def answer_of(request):
    return page(request)


def test_nobody_is_sent_to_sign_in_and_back(db):
    answer = answer_of(request_of(AnonymousUser()))
    assert answer.status_code == 302
    assert answer["Location"] == "/account/login/?next=/servers/%3Fq%3Da"


def test_what_was_posted_is_not_where_one_comes_back_to(client, db):
    answer = client.post("/organizations/switch/")
    assert answer["Location"] == "/account/login/?next=/"


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(client, db):
    shown = {"HX-Request": "true", "HX-Current-URL": "http://testserver/servers/?q=a"}
    answer = client.get("/servers/", headers=shown)
    assert answer["HX-Redirect"] == "/account/login/?next=/servers/%3Fq%3Da"


def test_somebody_of_no_organization_makes_one(db):
    user = User.objects.create_user("erin@example.com", "x")
    assert answer_of(request_of(user))["Location"] == "/organizations/new/"


@pytest.mark.parametrize("role", Role.values)
def test_a_role_includes_those_after_it(acme, role):
    someone = member(acme, "someone", role)
    if role == Role.VIEWER:
        with pytest.raises(PermissionDenied):
            answer_of(request_of(someone.user))
    else:
        assert answer_of(request_of(someone.user)).content == f"acme {role}".encode()


def test_the_session_chooses_among_ones_own_organizations(alice, other):
    Membership.objects.create(
        organization=other, user=alice.user, role=Role.POLICY_MANAGER
    )
    assert answer_of(request_of(alice.user)).content == b"acme owner"
    answer = answer_of(request_of(alice.user, other))
    assert answer.content == b"other policy_manager"


def test_anothers_organization_in_the_session_is_not_believed(alice, other):
    assert answer_of(request_of(alice.user, other)).content == b"acme owner"


def test_get_finds_only_what_is_of_the_requests_organization(alice, charlie):
    request = request_of(alice.user)
    assert access.identify(request)
    assert access.get(request, Membership, pk=alice.pk) == alice
    for missing in (charlie.pk, uuid.uuid4()):
        with pytest.raises(Http404):
            access.get(request, Membership, pk=missing)
    with pytest.raises(Http404):
        access.get(request, Membership.objects.across_organizations(), pk=charlie.pk)


def test_get_refuses_what_belongs_to_no_organization(alice):
    request = request_of(alice.user)
    access.identify(request)
    with pytest.raises(TypeError):
        access.get(request, Organization, pk=alice.organization_id)


def test_a_reverse_manager_is_not_a_way_around(alice):
    with pytest.raises(TenantMissing):
        list(alice.organization.membership_set.all())

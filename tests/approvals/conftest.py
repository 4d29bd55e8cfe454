from __future__ import annotations

import time

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.test import Client, RequestFactory

from accounts.models import Membership, Organization
from tests.approvals.desk import Desk

FRESH, STALE = 0, 301


def signed_in(membership: Membership, seconds_ago: int = STALE) -> Client:
    """A client whose person gave the password that many seconds ago."""
    client = Client()
    client.force_login(membership.user)
    request = RequestFactory().get("/")
    request.session = client.session
    record_authentication(request, membership.user, "password")
    records = request.session["account_authentication_methods"]
    records[-1]["at"] = time.time() - seconds_ago
    request.session.save()
    return client


@pytest.fixture
def desk(acme: Organization, alice: Membership, valkey: object) -> Desk:
    return Desk(acme, alice)

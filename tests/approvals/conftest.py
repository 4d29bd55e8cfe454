from __future__ import annotations

import time

from allauth.account.internal.flows.login import record_authentication
from django.test import Client, RequestFactory

from accounts.models import Membership

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

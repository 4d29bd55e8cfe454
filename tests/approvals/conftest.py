from __future__ import annotations

import time

from django.test import Client

from accounts.models import Membership

FRESH, STALE = 0, 301


def signed_in(membership: Membership, seconds_ago: int) -> Client:
    """A client whose person gave the password that many seconds ago."""
    client = Client()
    client.force_login(membership.user)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time() - seconds_ago}
    ]
    session.save()
    return client

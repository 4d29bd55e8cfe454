from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.test import Client, RequestFactory

from accounts.models import Membership, Organization
from tests.approvals.desk import Desk
from tests.keeping import Kept
from tests.world import World, make_world

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


@pytest.fixture(scope="module")
def worlds(django_db_setup: None, django_db_blocker: Any) -> Iterator[Kept[World]]:
    with django_db_blocker.unblock(), closing(Kept(make_world)) as worlds:
        yield worlds


@pytest.fixture
def kept_world(worlds: Kept[World], request: pytest.FixtureRequest) -> World:
    """What `make_world` makes, once a module."""
    return worlds.get(request.node)


@pytest.fixture
def desk(acme: Organization, alice: Membership, valkey: object) -> Desk:
    return Desk(acme, alice)

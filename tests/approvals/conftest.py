from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.internal.flows.login import (
    AUTHENTICATION_METHODS_SESSION_KEY as METHODS,
)
from allauth.account.internal.flows.login import (
    record_authentication,
)
from django.http import HttpRequest
from django.test import Client

from accounts.models import Membership, Organization, Role
from tests.approvals.desk import Desk
from tests.approvals.office import Office
from tests.conftest import member
from tests.keeping import Kept, keeping
from tests.signing_in import client_of
from tests.world import World, make_world

FRESH, STALE = 0, 301


def signed_in(membership: Membership, seconds_ago: int = STALE) -> Client:
    """A client whose person gave the password that many seconds ago."""
    request, held = HttpRequest(), dict[str, Any]()
    request.session = held  # type: ignore[assignment]
    record_authentication(request, membership.user, "password")
    held[METHODS][-1]["at"] = time.time() - seconds_ago
    return client_of(membership.user, **held)


@pytest.fixture(scope="module")
def worlds(django_db_setup: None, django_db_blocker: Any) -> Iterator[Kept[World]]:
    with keeping(make_world, django_db_blocker) as worlds:
        yield worlds


@pytest.fixture
def kept_world(worlds: Kept[World], db: None, request: pytest.FixtureRequest) -> World:
    """What `make_world` makes, once a module."""
    return worlds.get(request.node)


def make_acme() -> tuple[Organization, Membership]:
    acme = Organization.objects.create(slug="acme", name="Acme", shard=7)
    return acme, member(acme, "alice", Role.OWNER)


@pytest.fixture(scope="module")
def desks(django_db_setup: None, django_db_blocker: Any) -> Iterator[Kept[Desk]]:
    with keeping(lambda: Desk(*make_acme()), django_db_blocker) as desks:
        yield desks


@pytest.fixture
def desk(
    desks: Kept[Desk], db: None, valkey: object, request: pytest.FixtureRequest
) -> Desk:
    return desks.get(request.node)


@pytest.fixture(scope="module")
def offices(django_db_setup: None, django_db_blocker: Any) -> Iterator[Kept[Office]]:
    with keeping(lambda: Office(*make_acme()), django_db_blocker) as offices:
        yield offices


@pytest.fixture
def office(
    offices: Kept[Office], db: None, valkey: object, request: pytest.FixtureRequest
) -> Office:
    return offices.get(request.node)


@pytest.fixture
def acme(desk: Desk) -> Organization:
    return desk.acme


@pytest.fixture
def alice(desk: Desk) -> Membership:
    return desk.alice

"""The cast: alice owns Acme, bob manages policies, dora reads. Charlie is foreign."""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import hypothesis
import pytest
import redis
from _pytest.nodeid import NodeId
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.test import Client, TransactionTestCase
from django.test import client as test_client
from whitenoise.middleware import WhiteNoiseMiddleware

from accounts.models import Membership, Organization, Role, User
from tests.copying import Template
from tests.emptying import empty
from tests.servers.sandbox import running_sandbox
from tests.signing_in import client_of

# How fast a busy machine draws examples says nothing of what is tested.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")
PASSWORD = "correct horse battery"
# What a hash takes, as Django names it; here, and in production.
CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
DEAR = {name: getattr(Argon2PasswordHasher, name) for name in CHEAP}


# Packages whose fixtures last for all of their tests, each for one worker: the longest
# that any has to do.
TOGETHER = ("browser", "e2e")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """What takes long first, in random order as all: none is waited for alone at the
    end.
    """
    items.sort(key=_turn)
    if getattr(config.option, "loadgroup", False):
        for item in items:
            _name_group(item)


def pytest_collection_finish() -> None:
    """What is imported stays: no collection of garbage need look at it again."""
    gc.collect()
    gc.freeze()


def _name_group(item: pytest.Item) -> None:
    """pytest-xdist 3.8 writes the group into `_nodeid`, which pytest 9.2 never reads:
    each process would start the systems that are to be started once.
    """
    mark = item.get_closest_marker("xdist_group")
    if mark is not None and not item.nodeid.endswith(f"@{mark.args[0]}"):
        item._id = NodeId.parse(f"{item.nodeid}@{mark.args[0]}")


def _turn(item: pytest.Item) -> int:
    # One after the other, as gateways or a browser start for the first of them and end
    # with the last.
    if item.path.parent.name in TOGETHER:
        return TOGETHER.index(item.path.parent.name)
    return 3 if item.get_closest_marker("slow") is None else 2


@pytest.fixture(scope="session")
def template(
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[Template]:
    template = Template()
    yield template
    template.let_go()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(template: Template) -> None:
    """pytest-django asks for this before it makes the database."""


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The server is thrown away, and its databases with it: dropping each takes
    seconds, and fails where a connection was left open."""
    return True


@pytest.fixture(scope="session")
def django_db_createdb() -> bool:
    return True


@pytest.fixture(scope="session")
def django_db_setup(
    template: Template, django_db_setup: None, django_db_blocker: Any
) -> None:
    with django_db_blocker.unblock():
        template.keep()


@pytest.fixture(scope="session", autouse=True)
def emptied_by_deletion() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        # A new connection would have to learn all tables anew to empty them.
        patch.setattr(TransactionTestCase, "_should_reload_connections", _never)
        yield


def _never(case: TransactionTestCase) -> bool:
    return False


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Argon2 still, a hundred times cheaper: many tests sign somebody in."""
    with pytest.MonkeyPatch.context() as patch:
        for name, cost in CHEAP.items():
            patch.setattr(Argon2PasswordHasher, name, cost)
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once() -> Iterator[None]:
    """Each test client makes the middleware anew, which would list all files anew."""
    find = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def add(middleware: Any) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files |= found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add)
        yield


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """One for all tests that ask for it: they are of one group."""
    with running_sandbox() as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def contexts_of_pages_alone() -> Iterator[None]:
    """`answer.context` is that of the page: a copy for each of the hundred components
    that it is drawn of takes as long as some of them."""
    keep = test_client.store_rendered_templates  # type: ignore[attr-defined]

    def keep_first(store: dict[str, Any], **drawn: Any) -> None:
        if "context" not in store:
            keep(store, **drawn)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_client, "store_rendered_templates", keep_first)
        yield


@pytest.fixture
def dear_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the cost that passwords have in production, for a test of that."""
    for name, cost in DEAR.items():
        monkeypatch.setattr(Argon2PasswordHasher, name, cost)


@pytest.fixture(scope="session")
def valkey_connections() -> Iterator[redis.ConnectionPool]:
    with closing(redis.ConnectionPool.from_url(os.environ["REDIS_URL"])) as pool:
        yield pool


@pytest.fixture
def valkey(valkey_connections: redis.ConnectionPool) -> Iterator[redis.Redis]:
    """This worker's own Valkey database, emptied before and after."""
    with redis.Redis(connection_pool=valkey_connections) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def acme(db: None) -> Organization:
    return Organization.objects.create(slug="acme", name="Acme", shard=7)


@pytest.fixture
def other(db: None) -> Organization:
    return Organization.objects.create(slug="other", name="Other", shard=7)


@functools.cache
def hashed() -> str:
    """Once a process."""
    return make_password(PASSWORD)


def member(organization: Organization, name: str, role: str) -> Membership:
    """A person with a verified address, `<name>@example.com`, and a role."""
    email = f"{name}@example.com"
    user = User.objects.create(email=email, name=name.title(), password=hashed())
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return Membership.objects.create(organization=organization, user=user, role=role)


@pytest.fixture
def alice(acme: Organization) -> Membership:
    return member(acme, "alice", Role.OWNER)


@pytest.fixture
def bob(acme: Organization) -> Membership:
    return member(acme, "bob", Role.POLICY_MANAGER)


@pytest.fixture
def dora(acme: Organization) -> Membership:
    return member(acme, "dora", Role.VIEWER)


@pytest.fixture
def charlie(other: Organization) -> Membership:
    return member(other, "charlie", Role.OWNER)


@pytest.fixture
def sign_in() -> object:
    """`sign_in(membership)` gives a Django test client of that person."""

    def signed_in(membership: Membership) -> Client:
        return client_of(membership.user)

    return signed_in

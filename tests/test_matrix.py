"""Every address x every role. The table is tests/routes.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.client import ClientHandler
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import api_tokens
from accounts.models import Organization, Role
from catalog.public import CACHED
from tests.keeping import Kept, keeping
from tests.routes import ARGUMENTS, EVERYBODY, ROUTES, SIGNED_IN, Route
from tests.signing_in import begun
from tests.world import PEOPLE, World, make_world

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12
OTHERS = (*[name for name in PEOPLE if name != "alice"], "charlie", "nobody")
STRANGERS = OTHERS[-2:]
CAST = ("alice", *OTHERS)
NOT_ALLOWED = 405
# Each client would make the middleware anew.
HANDLERS = {checks: ClientHandler(checks) for checks in (False, True)}
# What is copied or edited is the name itself; what is read shows its disguise.
ATTRIBUTES = re.compile(r'(value|data-text)="[^"]*"|<textarea.*?</textarea>', re.S)
DISGUISES = re.compile("[\u202e\u200f]")


def patterns(
    resolver: URLResolver, namespace: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """The name of every pattern below a resolver, with its namespace."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from patterns(pattern, namespace + inner)
        else:
            yield f"{namespace}{pattern.name}", pattern


PATTERNS = dict(patterns(get_resolver()))
BY_NAME = {route.name: route for route in ROUTES}
WITH_GET = [route for route in ROUTES if route.get is not None]
WITH_POST = [route for route in ROUTES if route.post]


def test_every_address_is_listed_once():
    assert None not in (pattern.name for pattern in PATTERNS.values())
    assert len(list(patterns(get_resolver()))) == len(PATTERNS)
    assert set(BY_NAME) == set(PATTERNS)
    assert len(BY_NAME) == len(ROUTES)


def test_views_ask_access_for_the_role_that_is_listed():
    """The check is the first statement: the outermost thing is its decorator."""
    for name, pattern in PATTERNS.items():
        asked = getattr(pattern.callback, "minimum_role", None)
        listed = BY_NAME[name].minimum
        assert asked == (listed if listed in Role.values else None), name


Visited = tuple[World, dict[str, str]]


def make_visited() -> Visited:
    """The world, and the key of a session of each person."""
    world = make_world()
    return world, {name: begun(each.user) for name, each in world.people.items()}


@pytest.fixture(scope="module")
def kept(django_db_setup: None, django_db_blocker: Any) -> Iterator[Kept[Visited]]:
    with keeping(make_visited, django_db_blocker) as kept:
        yield kept


@pytest.fixture
def visited(kept: Kept[Visited], db: Any, request: Any) -> Visited:
    return kept.get(request.node)


@pytest.fixture
def world(visited: Visited, valkey: Any, settings: Any) -> World:
    # The rate limits count addresses of the network: here all have the same.
    settings.ACCOUNT_RATE_LIMITS = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return visited[0]


@pytest.fixture
def client_of(visited):
    """`client_of("dora")` is a test client of hers."""

    def client_of(name: str, **options: Any) -> Client:
        client = Client(**options)
        client.handler = HANDLERS[client.handler.enforce_csrf_checks]
        if name != "nobody":
            client.cookies[settings.SESSION_COOKIE_NAME] = visited[1][name]
        return client

    return client_of


def place(route: Route, world: World) -> str:
    names = PATTERNS[route.name].pattern.regex.groupindex
    return reverse(route.name, kwargs={name: ARGUMENTS[name](world) for name in names})


def names_an_object(route: Route) -> bool:
    """Whether the address holds the id of something that belongs to Acme."""
    # What the catalogue lists belongs to nobody, whoever may act on it.
    if route.name.startswith("catalog:"):
        return False
    of_an_organization = route.minimum in Role.values
    return of_an_organization and bool(PATTERNS[route.name].pattern.regex.groupindex)


def token_client(world: World, name: str) -> Client:
    """With a token that has all the scopes which this person can have."""
    if name == "nobody":
        return Client()
    Organization.objects.update(api_decisions=True)
    member = world.people[name]
    member.organization.api_decisions = True
    decides = member.at_least(Role.APPROVER)
    scopes = [*api_tokens.SCOPES] if decides else [api_tokens.READ]
    minted = api_tokens.mint(member, "of the matrix", scopes, None, fresh=True)
    return Client(headers={"Authorization": f"Bearer {minted.token}"})


def refusal(route: Route, name: str) -> int | None:
    """The status that keeps this person out; None for who may."""
    if route.minimum == EVERYBODY:
        return None
    if name == "nobody":
        return 401 if route.api else 302
    if route.minimum == SIGNED_IN:
        return None
    if name == "charlie":
        return 404 if names_an_object(route) else None
    widest_first = Role.values
    may = widest_first.index(PEOPLE[name]) <= widest_first.index(route.minimum)
    return None if may else 403


def check(route: Route, name: str, answer, may: frozenset[int] | set[int]) -> None:
    kept_out = refusal(route, name)
    expected = may if kept_out is None else {kept_out}
    assert answer.status_code in expected, (route.name, name, answer.status_code)
    if kept_out == 302:
        assert answer["Location"].startswith("/account/login/"), route.name


@pytest.mark.parametrize("route", WITH_GET, ids=lambda route: route.name)
def test_get(route, world, client_of):
    """Who may open it; the owner's page is inert, a stranger's shows nothing."""
    address = place(route, world)
    # The owner comes first: what her page queries nobody has warmed.
    with CaptureQueriesContext(connection) as queries:
        page = client_of("alice").get(address)
    assert len(queries) <= MOST_QUERIES, [query["sql"] for query in queries]
    check_get(route, "alice", page)
    check_inert(route, page)
    for name in STRANGERS if is_public(page) else OTHERS:
        answer = client_of(name).get(address)
        check_get(route, name, answer)
        if name == "charlie":
            check_nothing_of_acme(world, answer, address)
    if route.api:
        for name in CAST:
            check_get(route, name, token_client(world, name).get(address))


def is_public(answer) -> bool:
    """Drawn without a look at who asks: catalog/public.py says so, and holds it to it.
    Whether somebody is signed in or not is all that could be told from outside."""
    return bool(answer.get("Cache-Control") == CACHED)


def check_get(route: Route, name: str, answer) -> None:
    assert route.get is not None
    check(route, name, answer, {route.get_differs.get(name, route.get)})


def check_inert(route: Route, answer) -> None:
    if route.api:
        assert answer["Content-Type"] == "application/json"
        assert answer["X-Content-Type-Options"] == "nosniff"
        return
    if "Content-Disposition" in answer:
        return  # A file: what is in it stands there as it is.
    page = answer.content.decode()
    assert "<script>alert" not in page
    assert not DISGUISES.search(ATTRIBUTES.sub("", page))


def check_nothing_of_acme(world: World, answer, address: str) -> None:
    """What charlie opens holds no name and no id of Acme's."""
    page = answer.content.decode().replace(address, "")
    things = (world.acme, world.server, world.policy, world.grant, world.tool)
    canaries = [str(thing.pk) for thing in things]
    canaries += ["alice@example.com", "Server 1", "Policy 1", "grant 1", "tool_1"]
    assert not [canary for canary in canaries if canary in page]


@pytest.mark.parametrize("route", WITH_POST, ids=lambda route: route.name)
def test_post(route, world, client_of):
    for name in CAST:
        with transaction.atomic():
            client = token_client(world, name) if route.api else client_of(name)
            answer = client.post(place(route, world), dict(route.data))
            check(route, name, answer, route.post_differs.get(name, route.post))
            transaction.set_rollback(True)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_method_that_is_not_listed_does_nothing(route, world, client_of):
    """Not allowed; or, of a page that only shows, what a GET shows."""
    client = client_of("alice")
    if route.get is None:
        assert client.get(place(route, world)).status_code == NOT_ALLOWED
    if not route.post:
        posted = client.post(place(route, world), dict(route.data))
        assert posted.status_code in {NOT_ALLOWED, route.get}


@pytest.mark.parametrize("route", WITH_POST, ids=lambda route: route.name)
def test_a_post_without_the_token_of_its_form_is_refused(route, world, client_of):
    client = client_of("alice", enforce_csrf_checks=True)
    refused = 401 if route.api else 403  # whose sessions change nothing at all
    foreign = {"Origin": "https://other.example"} if route.by_origin else None
    answer = client.post(place(route, world), dict(route.data), headers=foreign)
    assert answer.status_code == refused

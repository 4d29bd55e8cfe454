"""Every page of tests/routes.py: wide and narrow, light and dark, full and empty.

axe finds no violation of WCAG 2.2 AA, nothing is wider than the screen, the browser
complains about nothing (a strict CSP would make it), and there is a heading.
"""

from __future__ import annotations

import pytest

from tests.browser.conftest import Opener
from tests.browser.looking import seen
from tests.routes import EVERYBODY, ROUTES, Route
from tests.test_matrix import names_an_object, place
from tests.world import World, make_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]
PAGES = [route for route in ROUTES if route.page and route.get is not None]


@pytest.fixture
def world(transactional_db: None, settings) -> World:
    settings.ACCOUNT_RATE_LIMITS = False
    return make_world()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", ["nobody", "alice", "charlie"])
def test_pages(open_page: Opener, world: World, who):
    """alice sees everything at its worst; charlie's organization is empty."""
    page = open_page(world.people.get(who))
    wrong = {}
    for route in PAGES:
        if opens(route, who):
            answer = page.goto(place(route, world))
            wrong[route.name] = seen(page, f"{route.name}-{who}")
            if answer is None or answer.status != route.get:
                wrong[route.name].append(f"answered {answer and answer.status}")
    wrong = {name: found for name, found in wrong.items() if found}
    assert not wrong, "\n".join(f"{name}: {found}" for name, found in wrong.items())


def opens(route: Route, who: str) -> bool:
    if who == "nobody":
        return route.minimum == EVERYBODY
    if who == "charlie":
        return route.minimum != EVERYBODY and not names_an_object(route)
    return route.minimum != EVERYBODY or route.name == "home"

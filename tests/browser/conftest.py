"""A headless Chromium against a live server. With SCREENSHOTS=folder pages are drawn.

Playwright's synchronous API keeps an event loop in this thread, which Django takes for
an asynchronous view: hence DJANGO_ALLOW_ASYNC_UNSAFE. No other test can run a loop in
it, so the browser ends with the last test of this folder. All of them are one worker's
(`xdist_group`): what a browser and its pages cost until they are warm is paid once, and
a contrast that is judged is judged for all.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.looking import DESK, leave

CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SECONDS = 30
# What runs once in a page, as axe does, costs more to optimize than to run.
CHEAPER = ["--js-flags=--no-opt --no-maglev"]
# A page that is refused or not found; the script of a mail that must not run.
MEANT = ("responded with a status", "Blocked script execution")
# Without script and session; of the same origin, with the headers of all pages, as the
# browser changes the process for others.
NO_SCRIPT = "/healthz"
EMPTY = """() => {
  localStorage.clear();
  sessionStorage.clear();
  return /native code/.test(setTimeout);
}"""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    found = map(shutil.which, (os.environ.get("CHROMIUM", ""), *CHROMIUMS))
    path = next(filter(None, found), None)
    assert path, "No Chromium found: install it, or set SKIP_BROWSER=1"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", *CHEAPER]
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Tab:
    """A page in a context of its own, and what the browser complained about in it."""

    def __init__(self, chromium: Browser, base: str, **settings: Any) -> None:
        self.context = chromium.new_context(base_url=base, **settings)
        self.context.set_default_timeout(SECONDS * 1000)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", self._note)

    def _note(self, said: Any) -> None:
        text = getattr(said, "text", str(said))
        error = getattr(said, "type", "error") == "error"
        if error and not any(words in text for words in MEANT):
            self.complaints.append(text)

    def empty(self) -> bool:
        """Leaves nothing of a test to the next; whether that is so.

        A clock that a test installed stays in its context.
        """
        self.page.unroute_all()
        leave(self.page)
        self.page.goto(NO_SCRIPT)
        natural = bool(self.page.evaluate(EMPTY))
        self.context.clear_cookies()
        self.context.clear_permissions()
        self.complaints.clear()
        return natural


class Tabs:
    """Those of ended tests wait for the next: a new one costs a process, and most of
    a second."""

    def __init__(self, chromium: Browser, base: str) -> None:
        self._chromium, self._base = chromium, base
        self._waiting: dict[tuple[bool, str], list[Tab]] = defaultdict(list)

    def take(self, javascript: bool, zone: str) -> Tab:
        if waiting := self._waiting[javascript, zone]:
            return waiting.pop()
        settings = {"java_script_enabled": javascript, "timezone_id": zone}
        return Tab(self._chromium, self._base, **settings)

    def give_back(self, tab: Tab, javascript: bool, zone: str) -> None:
        if tab.empty():
            self._waiting[javascript, zone].append(tab)
        else:
            tab.context.close()


@pytest.fixture(scope="package")
def tabs(chromium: Browser, live_server: Any) -> Tabs:
    return Tabs(chromium, live_server.url)


@pytest.fixture
def open_page(tabs: Tabs, live_server: Any, valkey: Any) -> Iterator[Any]:
    """`open_page(membership, width=, theme=, javascript=, zone=)`: that person's page.

    What the browser complains about (scripts, styles, missing files) fails the test.
    """
    taken: list[tuple[Tab, bool, str]] = []

    def opened(
        membership=None, width=DESK, theme="light", javascript=True, zone="UTC"
    ) -> Page:
        tab = tabs.take(javascript, zone)
        taken.append((tab, javascript, zone))
        tab.page.set_viewport_size({"width": width, "height": 800})
        tab.page.emulate_media(color_scheme=theme)
        if membership is not None:
            tab.context.add_cookies([session_cookie(membership, live_server.url)])
        return tab.page

    yield opened
    complaints = [each for tab, _, _ in taken for each in tab.complaints]
    for tab, javascript, zone in taken:
        tabs.give_back(tab, javascript, zone)
    assert not complaints


def session_cookie(membership: Any, url: str) -> Any:
    client = Client()
    client.force_login(membership.user)
    name = django_settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}


Opener = Callable[..., Page]

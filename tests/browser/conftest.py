"""A headless Chromium against a live server. With SCREENSHOTS=folder pages are drawn.

Playwright's synchronous API keeps an event loop in this thread, which Django takes for
an asynchronous view: hence DJANGO_ALLOW_ASYNC_UNSAFE. No other test can run a loop in
it, so the browser ends with the last test of this folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
PHONE, DESK = 390, 1280
SECONDS = 30
# What runs once in a page, as axe does, costs more to optimize than to run.
CHEAPER = ["--js-flags=--no-opt"]
# A page that is refused or not found; the script of a mail that must not run.
MEANT = ("responded with a status", "Blocked script execution")


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


@pytest.fixture
def open_page(chromium: Browser, live_server: Any, valkey: Any) -> Iterator[Any]:
    """`open_page(membership, width=, theme=, javascript=, zone=)`: that person's page.

    What the browser complains about (scripts, styles, missing files) fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(
        membership=None, width=DESK, theme="light", javascript=True, zone="UTC"
    ) -> Page:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            java_script_enabled=javascript,
            timezone_id=zone,
        )
        contexts.append(context)
        context.set_default_timeout(SECONDS * 1000)
        if membership is not None:
            context.add_cookies([session_cookie(membership, live_server.url)])
        page = context.new_page()
        page.on("console", lambda said: note(complaints, said))
        page.on("pageerror", lambda error: note(complaints, error))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


def note(complaints: list[str], said: Any) -> None:
    text = getattr(said, "text", str(said))
    error = getattr(said, "type", "error") == "error"
    if error and not any(words in text for words in MEANT):
        complaints.append(text)


def session_cookie(membership: Any, url: str) -> Any:
    client = Client()
    client.force_login(membership.user)
    name = django_settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}


Opener = Callable[..., Page]

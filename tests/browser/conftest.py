"""A headless Chromium against a live server; with SCREENSHOTS=folder it also draws.

Playwright's synchronous API keeps an event loop in this thread, which Django takes for
an asynchronous view: hence DJANGO_ALLOW_ASYNC_UNSAFE.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None and os.environ.get("SKIP_BROWSER") == "1":
        pytest.skip("no Chromium here, and SKIP_BROWSER=1")
    assert path, "No Chromium found: install it, or set SKIP_BROWSER=1"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"]
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]

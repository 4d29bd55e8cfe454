"""A person with a browser: signs up, adds servers, pastes policies, mints tokens."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Page, expect, sync_playwright

from tests.__main__ import CHROMIUMS

EMAIL, PASSWORD = "alice@example.com", "a long way to the lighthouse"
PAGE_SECONDS = 60


class Row(NamedTuple):
    """One tool as the server's page shows it."""

    name: str
    category: str
    severity: str

    @property
    def classified(self) -> bool:
        return not {"", "not set"} & {self.category, self.severity}


class Person:
    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base

    def sign_up(self, mailbox: str) -> None:
        page = self.page
        page.goto(f"{self.base}/")
        page.get_by_role("link", name="Sign up").first.click()
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign up").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Confirm")
        page.goto(mailbox)
        page.get_by_role("main").get_by_role("link").first.click()
        link = page.locator('a[href*="confirm-email"]').first.get_attribute("href")
        assert link
        page.goto(link)
        page.get_by_role("button", name="Confirm").click()
        page.get_by_label("Name").fill("Acme")
        page.get_by_role("button", name="Create organization").click()
        expect(page.get_by_role("navigation").first).to_contain_text("Servers")

    def add_server(self, name: str, url: str) -> None:
        page = self.page
        page.goto(f"{self.base}/servers/")
        page.get_by_role("link", name="Add server").first.click()
        page.get_by_label("URL").fill(url)
        page.locator("input[name=name]").fill(name)
        page.get_by_role("button", name="Add server").click()
        # Adding may lead on to the policy that is drafted for it.
        page.wait_for_url(lambda to: not to.endswith("/servers/add/"))

    def tools(self, server: str) -> list[Row]:
        """All that the server's page lists, over its further pages."""
        page = self.page
        page.goto(f"{self.base}/servers/")
        page.get_by_role("main").get_by_role("link", name=server, exact=True).click()
        expect(page.get_by_role("heading", name="Tools")).to_be_visible()
        rows = self._rows()
        while (further := page.locator(".pager a[rel=next]")).count():
            further.click()
            rows += self._rows()
        return rows

    def _rows(self) -> list[Row]:
        script = """rows => rows.map(row => [
            row.querySelector("a.name").innerText,
            row.querySelector("[data-label=Category]").innerText,
            row.querySelector("[data-label=Severity]").innerText])"""
        found = self.page.locator("#server tbody tr").evaluate_all(script)
        return [Row(*(text.strip() for text in cells)) for cells in found]

    def publish(self, name: str, server: str, text: str) -> list[str]:
        """Pastes the text into a new policy's editor, reviews and publishes it; returns
        the warnings of the review."""
        page = self.page
        page.goto(f"{self.base}/policies/new/")
        page.locator("input[name=name]").fill(name)
        page.locator("select[name=server]").select_option(label=server)
        page.get_by_role("button", name="Create draft").click()
        page.locator(".cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(text)
        page.get_by_role("button", name="Review and publish").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Publish")
        shown = page.locator("[aria-labelledby=warnings-label] li p:first-child")
        warnings = shown.all_inner_texts()
        page.get_by_role("main").get_by_role("button", name="Publish").click()
        expect(page.get_by_text("in force").first).to_be_visible()
        return warnings

    def published(self) -> list[str]:
        """The lines of the version that was published last, as its page shows them."""
        return self.page.locator(".numbered td").all_text_contents()

    def mint(self, label: str, policy: str) -> tuple[str, str]:
        """The endpoint and the token, as the page shows them once."""
        page = self.page
        page.goto(f"{self.base}/grants/new/")
        page.locator("input[name=label]").fill(label)
        page.locator("select[name=policy]").select_option(label=policy)
        page.get_by_role("button", name="Make grant").click()
        token = page.locator("#token").inner_text()
        found = re.search(r"\bpl_[0-9A-Za-z]+_[0-9A-Za-z]+", token)
        endpoint = re.search(r"http://\S+/mcp/[\w-]+", page.inner_text("main"))
        assert found and endpoint, "no token, or no endpoint, on the page"
        return endpoint[0], found[0]


@contextmanager
def browsing(base: str) -> Iterator[Person]:
    found = map(shutil.which, (os.environ.get("CHROMIUM", ""), *CHROMIUMS))
    path = next(filter(None, found), None)
    if path is None:
        raise RuntimeError("no Chromium found: install it, or name it in CHROMIUM")
    expect.set_options(timeout=PAGE_SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"]
        )
        try:
            page = browser.new_page()
            page.set_default_timeout(PAGE_SECONDS * 1000)
            yield Person(page, base)
        finally:
            browser.close()

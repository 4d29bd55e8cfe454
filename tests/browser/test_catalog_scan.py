"""Scan your config in a browser: secrets do not leave it, and what leaves is shown."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Request, expect

from catalog.config_scan.stripping import strip
from catalog.models import KeptReport
from tests.browser.conftest import Opener
from tests.browser.looking import seen
from tests.catalog.config_scan.lines import LINES, SECRETS
from tests.world import World, make_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]
REPORT, SENT = "What your agents can call", "Message sent. We'll get back to you"
ENTRIES = [entry for entry, _ in LINES]
KNOWN = {"command": "uvx", "args": ["hostile-mcp-server", "--key", "hunter2"]}
ALL = {f"s{n}": entry for n, entry in enumerate(ENTRIES)} | {"known": KNOWN}
STRIP = """async (entries) => {
  const {strip} = await import(document.querySelector('script[src*=config-scan]').src);
  return entries.map(strip);
}"""
TOML = """[mcp_servers.known] # codex
command = "uvx"
args = [ # "hunter2"
  "hostile-mcp-server",
  '--token', "hunter2",
]
[mcp_servers.known.env]
TOKEN = "hunter2"
[other]
args = ["hunter2"]
"""


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.fixture
def sent(open_page: Opener) -> list[Request]:
    return []


def opened(open_page: Opener, sent: list[Request], **how) -> Page:
    page = open_page(**how)
    page.on("request", lambda one: sent.append(one))
    page.goto("/scan/")
    return page


def button(page: Page, name: str = "Show what agents can call"):
    return page.get_by_role("button", name=name).locator("visible=true")


def leaks(sent: list[Request]) -> list[str]:
    """Secrets in any request at all: its address, its headers, its body."""
    said = "".join(
        f"{one.url}{json.dumps(one.headers)}{one.post_data or ''}" for one in sent
    )
    return [secret for secret in SECRETS if secret in said]


def test_no_secret_leaves_the_browser(open_page, world, sent):
    page = opened(open_page, sent)
    page.locator("textarea:visible").fill(json.dumps({"mcpServers": ALL}))
    shown = page.locator("[data-sent]").inner_text()
    button(page).click()
    expect(
        page.get_by_role("heading", name="What your agents can call")
    ).to_be_visible()
    [posted] = [one for one in sent if one.method == "POST"]
    assert leaks(sent) == []
    assert parse_qs(posted.post_data)["config"] == [shown.replace("\n", "\r\n")]
    assert list(parse_qs(posted.post_data)) == ["config"]
    assert [s for s in SECRETS if s in page.content()] == []


def test_nothing_leaves_where_the_script_does_not_come(open_page, world, sent):
    page = open_page()
    page.route(
        "**/config-scan*.js",
        lambda route: route.fulfill(body="", content_type="text/javascript"),
    )
    page.on("request", lambda one: sent.append(one))
    page.goto("/scan/")
    page.locator("textarea:visible").fill(json.dumps({"mcpServers": ALL}))
    button(page).click()
    expect(page.get_by_text("There is nothing to read yet")).to_be_visible()
    assert leaks(sent) == []


def test_both_layers_leave_the_same(open_page, world, sent):
    """One set of tables, two programs: each entry comes out alike."""
    page = opened(open_page, sent)
    for entry, left in zip(ENTRIES, page.evaluate(STRIP, ENTRIES), strict=True):
        ours = strip("x", entry)
        assert left.get("url", "") == ours.url, entry
        assert left.get("command", "") == ours.command, entry
        assert tuple(left.get("args", ())) == ours.args, entry


def test_codex_is_understood(open_page, world, sent):
    page = opened(open_page, sent)
    page.locator("textarea:visible").fill(TOML)
    shown = json.loads(page.locator("[data-sent]").inner_text())
    args = ["hostile-mcp-server", "--token", "***"]
    assert shown == {"mcpServers": {"known": {"command": "uvx", "args": args}}}
    button(page).click()
    expect(page.get_by_role("heading", name="known")).to_be_visible()
    assert leaks(sent) == []


@pytest.mark.parametrize(
    "text", ['{"mcpServers": {"a": hunter2}}', '{"a": 1}', "hunter2", '{"a": "hunter2']
)
def test_what_cannot_be_read_is_not_sent(open_page, world, sent, text):
    page = opened(open_page, sent)
    page.locator("textarea:visible").fill(text)
    button(page).click()
    expect(page.locator("[data-problem]")).not_to_be_empty()
    assert [one for one in sent if one.method == "POST"] == []
    assert leaks(sent) == []


@pytest.mark.parametrize("javascript", [True, False])
def test_keeping_and_deleting_a_report(open_page, world, sent, javascript):
    before = KeptReport.objects.count()
    page = opened(open_page, sent, javascript=javascript)
    page.locator("textarea:visible").fill(json.dumps({"servers": {"known": KNOWN}}))
    button(page).click()
    expect(page.get_by_role("heading", name="known")).to_be_visible()
    button(page, "Keep this report").click()
    expect(page.get_by_role("heading", name="This report is kept")).to_be_visible()
    assert KeptReport.objects.count() == before + 1
    address = page.url
    button(page, "Delete this report").click()
    expect(page.get_by_role("heading", name="Scan your config")).to_be_visible()
    assert KeptReport.objects.count() == before
    gone = page.goto(address)
    assert gone and gone.status == 404


def test_a_report_is_pleasant_to_read(open_page, world, sent):
    """Looked at as test_pages does, which could not open it: it has no address."""
    page = opened(open_page, sent)
    page.locator("textarea:visible").fill(json.dumps({"mcpServers": ALL}))
    assert seen(page, "scan-filled") == []
    button(page).click()
    expect(
        page.get_by_role("heading", name="What your agents can call")
    ).to_be_visible()
    assert seen(page, "scan-report") == []


@pytest.mark.parametrize("javascript", [True, False])
def test_writing_a_message(open_page, world, sent, javascript, monkeypatch):
    monkeypatch.setattr("catalog.contact_form.LEAST_SECONDS", -1)
    page = opened(open_page, sent, javascript=javascript)
    page.get_by_role("link", name="Contact").first.click()
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Message").fill("A server is missing.")
    button(page, "Send message").click()
    expect(
        page.get_by_text("Message sent. We'll get back to you soon.")
    ).to_be_visible()

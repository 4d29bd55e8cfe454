"""Servers in a browser: the same steps with JavaScript and without."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Membership
from servers.models import Server, ToolDefinition
from tests.browser.conftest import Opener
from tests.servers.upstream import Upstream, running_upstream, tool

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def upstream() -> Any:
    with running_upstream() as running:
        yield running


def add(page: Page, upstream: Upstream) -> Server:
    upstream.required = {"authorization": "Bearer s3cret"}
    page.goto("/servers/")
    page.get_by_role("link", name="Add server").first.click()
    page.get_by_label("URL").fill(upstream.url)
    page.get_by_role("button", name="Add server").click()
    expect(page.get_by_text("add a bearer token or a header")).to_be_visible()
    expect(page.get_by_label("URL")).to_have_value(upstream.url)
    page.get_by_label("Bearer token").fill("s3cret")
    page.get_by_role("button", name="Add server").click()
    expect(page.get_by_role("heading", name="Tools 2")).to_be_visible()
    return Server.objects.across_organizations().get()


@pytest.mark.parametrize("javascript", [True, False])
def test_adding_testing_judging_and_deleting_a_server(
    open_page: Opener, alice: Membership, upstream: Upstream, javascript: bool
) -> None:
    page = open_page(alice, javascript=javascript)
    server = add(page, upstream)

    upstream.tools.append(tool("new_tool", description="<b>bold</b>"))
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("revision 2026-07-28, 3 tools.").first).to_be_visible()
    expect(page.get_by_role("heading", name="Tools 3")).to_be_visible()

    page.get_by_role("link", name="new_tool").click()
    expect(page.get_by_role("heading", name="Why")).to_be_visible()
    page.get_by_text("Set another for this organization").click()
    page.get_by_label("Category").select_option("Destructive")
    page.get_by_role("button", name="Save verdict").click()
    expect(page.get_by_text("Set by Alice")).to_be_visible()
    expect(page.get_by_text("Use the classifier’s verdict")).to_be_visible()
    row = ToolDefinition.objects.across_organizations().get(name="new_tool")
    assert (row.category, row.severity) == ("Destructive", "critical")

    page.goto(f"/servers/{server.public_id}/delete/")
    page.get_by_label("type its name").fill("fake")
    page.get_by_role("button", name="Delete server").click()
    expect(page.get_by_role("heading", name="No servers yet")).to_be_visible()


def test_the_connection_test_keeps_the_filter_and_says_what_to_do(
    open_page: Opener, alice: Membership, upstream: Upstream
) -> None:
    page = open_page(alice)
    server = add(page, upstream)
    page.goto(f"/servers/{server.public_id}/?q=read")
    upstream.required = {"authorization": "Bearer other"}
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("Check the credentials")).to_be_visible()
    expect(page.get_by_role("link", name="read_file")).to_be_visible()
    expect(page.get_by_role("link", name="write_file")).to_have_count(0)
    assert page.url.endswith("?q=read")

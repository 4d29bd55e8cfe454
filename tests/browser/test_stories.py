"""Stories 1 and 2, from sign-up to the first recorded call, in a real browser.

The browser does what a person does; the call is made by the official MCP client with
what the connect page shows.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent
from playwright.sync_api import Browser, Page, expect

from tests.conftest import PASSWORD
from tests.system.running import running_system, until


async def call(endpoint: str, token: str) -> tuple[list[str], str]:
    """Lists the tools and calls one, as an agent would."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(endpoint, http_client=http)) as client,
    ):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool("list_charges", {})
        assert not result.is_error
        assert isinstance(result.content[0], TextContent)
        return tools, result.content[0].text


def sign_up(page: Page, base: str, mailbox: str) -> None:
    page.goto(f"{base}/")
    page.get_by_role("link", name="Sign up").first.click()
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Confirm")
    page.goto(mailbox)
    page.get_by_role("main").get_by_role("link").first.click()
    link = page.locator('a[href*="confirm-email"]').first.get_attribute("href")
    assert link and link.startswith(base)
    page.goto(link)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("Acme")
    page.get_by_role("button", name="Create organization").click()


def add_sandbox(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Servers").first.click()
    page.get_by_role("button", name="Add the sandbox").first.click()
    expect(page.get_by_text("reachable").first).to_be_visible()
    expect(page.get_by_role("link", name="list_charges")).to_be_visible()
    expect(page.get_by_text("Read").first).to_be_visible()


def look_at_the_draft(page: Page) -> None:
    """It was made with the server: each tool has its choice, and why."""
    page.get_by_role("link", name="Review the drafted policy").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("recommended")
    expect(page.get_by_label("What list_charges gets")).to_have_value("allow")
    expect(page.get_by_label("What create_refund gets")).to_have_value("ask")
    page.get_by_role("link", name="Evidence for create_refund").click()
    expect(page.get_by_role("heading", name="Why")).to_be_visible()


def write_policy(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Policies").first.click()
    page.get_by_role("link", name=re.compile("New policy|Create")).first.click()
    page.get_by_label("Name", exact=True).fill("support")
    page.locator("select[name=server]").select_option(label="PolicyLayer sandbox")
    page.get_by_label("Deny everything").check()
    page.get_by_role("button", name="Create draft").click()
    page.get_by_label("What list_charges gets").select_option("allow")
    expect(page.locator(".cm-content")).to_contain_text("list_charges")
    page.get_by_role("button", name="Review and publish").first.click()
    page.get_by_role("main").get_by_role("button", name="Publish").click()
    expect(page.get_by_text("in force").first).to_be_visible()


def mint(page: Page) -> tuple[str, str]:
    page.get_by_role("navigation").get_by_role("link", name="Grants").first.click()
    page.get_by_role("link", name=re.compile("New grant|Make")).first.click()
    page.get_by_label("Label", exact=True).fill("support-bot")
    page.locator("select[name=policy]").select_option(label="support")
    page.get_by_role("button", name="Make grant").click()
    shown = page.get_by_role("main").inner_text()
    token = re.search(r"\bpl_[0-9A-Za-z]+_[0-9A-Za-z]+", shown)
    endpoint = re.search(r"http://\S+/mcp/[\w-]+", shown)
    assert token and endpoint
    return endpoint[0], token[0]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.xdist_group("system")
def test_from_sign_up_to_the_first_recorded_call(chromium: Browser) -> None:
    with running_system() as system, chromium.new_context() as context:
        mailbox, base = system.mailbox, system.address
        page = context.new_page()
        page.set_default_timeout(10_000)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda said: faults.append(said.text) if said.type == "error" else None,
        )

        sign_up(page, base, mailbox)
        add_sandbox(page)
        look_at_the_draft(page)
        write_policy(page)
        endpoint, token = mint(page)

        # A loop of its own in a thread: Playwright's runs in this one.
        tools, text = in_thread(endpoint, token)
        assert tools == ["list_charges"]
        assert "ch_" in text

        page.get_by_role("navigation").get_by_role(
            "link", name="Activity"
        ).first.click()
        row = page.get_by_role("row").filter(has_text="list_charges")
        until(lambda: row.count() or page.reload() and False)  # until it is recorded
        expect(row.first).to_contain_text("allowed", ignore_case=True)
        row.first.get_by_role("link").first.click()
        expect(page.get_by_role("main")).to_contain_text("support-bot")
        assert faults == []


def in_thread(endpoint: str, token: str) -> tuple[list[str], str]:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(call(endpoint, token))).result(60)

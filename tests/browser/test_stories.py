"""Stories 1 to 3 in a real browser, in a system that `make run` started.

The browser does what a person does; calls are made by the official MCP client with what
the connect page shows.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent
from playwright.sync_api import Browser, Page, expect

from tests.conftest import PASSWORD
from tests.http_clients import http
from tests.system.running import RunningSystem, running_system, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def system(django_db_setup: None) -> Iterator[RunningSystem]:
    """One for all: each story has an organization and people of its own."""
    with running_system() as running:
        yield running


def sandbox(system: RunningSystem) -> str:
    written = json.loads((system.data_dir / "run.json").read_text())
    return str(written["SANDBOX_URL"])


def mail_to(page: Page, system: RunningSystem, whom: str, subject: str) -> str:
    """The first link into the system of the newest such mail."""
    words = (whom.encode(), subject.encode())

    def kept() -> bool:
        mails = (mail.read_bytes() for mail in (system.data_dir / "mail").glob("*.eml"))
        return any(all(word in mail for word in words) for mail in mails)

    until(kept)  # without the browser, which would draw the page ten times a second
    page.goto(system.mailbox)
    rows = page.get_by_role("row").filter(has_text=whom).filter(has_text=subject)
    rows.first.get_by_role("link").click()
    text = page.locator(".mail-text").inner_text()
    link = re.search(rf"{re.escape(system.address)}/\S+", text)
    assert link, text
    return link[0]


# Stories 1 and 2: from sign-up to the first recorded call


async def call(endpoint: str, token: str) -> tuple[list[str], str]:
    """Lists the tools and calls one, as an agent would."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        http(headers=headers) as agent,
        Client(streamable_http_client(endpoint, http_client=agent)) as client,
    ):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool("list_charges", {})
        assert not result.is_error
        assert isinstance(result.content[0], TextContent)
        return tools, result.content[0].text


def sign_up(page: Page, system: RunningSystem) -> None:
    page.goto(f"{system.address}/")
    page.get_by_role("link", name="Sign up").first.click()
    page.get_by_label("Email").fill("erin@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Confirm")
    link = mail_to(page, system, "erin@example.com", "")
    assert "/confirm-email/" in link
    page.goto(link)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("Blue Whale")
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


def test_from_sign_up_to_the_first_recorded_call(
    chromium: Browser, system: RunningSystem
) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(10_000)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda said: faults.append(said.text) if said.type == "error" else None,
        )

        sign_up(page, system)
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


# Story 3: an agent's call waits, a person decides from the mail, and it runs once

REFUND = {"charge_id": "ch_1001", "amount": 700, "currency": "usd", "reason": "broken"}


def wanted(sandbox: str) -> dict[str, Any]:
    refund = {"action": "require_approval", "reason": "Money leaves"}
    return {
        "organization": {"slug": "acme", "name": "Acme"},
        "members": [
            {"email": "alice@example.com", "role": "owner"},
            {"email": "anna@example.com", "role": "approver"},
        ],
        "servers": [{"name": "payments", "url": sandbox}],
        "policies": [
            {
                "name": "support",
                "server": "payments",
                "document": {
                    "version": "1",
                    "default": "deny",
                    "tools": {"create_refund": refund, "list_charges": {}},
                },
            }
        ],
        "grants": [
            {
                "label": "support-bot",
                "member": "alice@example.com",
                "server": "payments",
                "policy": "support",
            }
        ],
    }


async def refund(endpoint: str, token: str) -> tuple[bool, str]:
    """One call; whether it failed, and what the agent reads."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        http(headers=headers, timeout=90) as agent,
        Client(streamable_http_client(endpoint, http_client=agent)) as client,
    ):
        result = await client.call_tool("create_refund", REFUND)
        assert isinstance(result.content[0], TextContent)
        return bool(result.is_error), result.content[0].text


def set_password(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("New Password", exact=True).fill(PASSWORD)
    page.get_by_label("New Password (again)").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()


def sign_in(page: Page) -> None:
    page.get_by_label("Email").fill("anna@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def test_from_the_mail_to_the_executed_call(
    chromium: Browser, system: RunningSystem
) -> None:
    with chromium.new_context() as context, ThreadPoolExecutor(1) as pool:
        page = context.new_page()
        page.set_default_timeout(10_000)
        grant = system.apply(wanted(sandbox(system)))["grants"][0]
        set_password(page, mail_to(page, system, "anna@example.com", ""))

        # A loop of its own in a thread: Playwright's runs in this one.
        called: Future[tuple[bool, str]] = pool.submit(
            lambda: asyncio.run(refund(grant["endpoint"], grant["token"]))
        )
        review = mail_to(page, system, "anna@example.com", "create_refund")
        context.clear_cookies()
        page.goto(review)
        sign_in(page)
        main = page.get_by_role("main")
        expect(main).to_contain_text("ch_1001")
        expect(main).to_contain_text("Money leaves")
        assert not called.done()
        main.get_by_role("button", name="Approve once").click()

        failed, text = called.result(60)
        assert (failed, "re_" in text) == (False, True), text
        again, told = pool.submit(
            lambda: asyncio.run(refund(grant["endpoint"], grant["token"]))
        ).result(60)
        assert again and "was sent to the server" in told

        until(lambda: len(runs(system)) == 1)
        assert [each["outcome"] for each in runs(system)] == ["ok"]


def runs(system: RunningSystem) -> list[dict[str, Any]]:
    return [
        record
        for record in system.records()
        if record["tool"] == "create_refund" and record["decision"] == "allow"
    ]

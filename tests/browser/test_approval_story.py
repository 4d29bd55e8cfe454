"""Story 3: an agent's call waits, a person decides from the mail, and it runs once.

The call is made by the official MCP client, the mail is the one that the worker wrote,
and the page is opened by its link in a browser where nobody is signed in.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent
from playwright.sync_api import Browser, Page, expect

from tests.conftest import PASSWORD
from tests.system.running import RunningSystem, running_system, until

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
        httpx2.AsyncClient(headers=headers, timeout=90) as http,
        Client(streamable_http_client(endpoint, http_client=http)) as client,
    ):
        result = await client.call_tool("create_refund", REFUND)
        assert isinstance(result.content[0], TextContent)
        return bool(result.is_error), result.content[0].text


def mail_to(page: Page, system: RunningSystem, whom: str, subject: str) -> str:
    """The first link into the system of the newest such mail."""

    def found() -> bool:
        page.goto(system.mailbox)
        rows = page.get_by_role("row").filter(has_text=whom).filter(has_text=subject)
        return rows.count() > 0

    until(found)
    rows = page.get_by_role("row").filter(has_text=whom).filter(has_text=subject)
    rows.first.get_by_role("link").click()
    text = page.locator(".mail-text").inner_text()
    link = re.search(rf"{re.escape(system.address)}/\S+", text)
    assert link, text
    return link[0]


def set_password(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("New Password", exact=True).fill(PASSWORD)
    page.get_by_label("New Password (again)").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()


def sign_in(page: Page) -> None:
    page.get_by_label("Email").fill("anna@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.xdist_group("system")
def test_from_the_mail_to_the_executed_call(chromium: Browser) -> None:
    with (
        running_system() as system,
        chromium.new_context() as context,
        ThreadPoolExecutor(1) as pool,
    ):
        page = context.new_page()
        page.set_default_timeout(10_000)
        sandbox = system.manage(
            "shell", "-v", "0", "-c",
            "from django.conf import settings; print(settings.SANDBOX_URL)",
        ).strip()  # fmt: skip
        grant = system.apply(wanted(sandbox))["grants"][0]
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

"""A webhook from its form to the message that arrived, with and without JavaScript."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Role
from approvals import hooks
from tests.approvals.receiver import receiving
from tests.browser.conftest import Opener
from tests.conftest import member

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]


def deliver() -> int:
    try:
        return hooks.deliver_due(timezone.now())
    finally:
        connection.close()


@pytest.mark.parametrize("javascript", [True, False])
def test_add_test_and_watch_it_arrive(open_page: Opener, acme, javascript):
    adam = member(acme, "adam", Role.ADMIN)
    with receiving() as receiver:
        page = open_page(adam, javascript=javascript)
        page.goto("/settings/webhooks/")
        page.get_by_label("Name").fill("ours")
        page.get_by_label("URL").fill(receiver.url())
        page.get_by_role("button", name="Add webhook").click()
        expect(page.locator("#secret")).to_contain_text("plw_")
        page.get_by_role("button", name="Send a test message").click()
        expect(page.locator("#delivery")).to_contain_text("waiting")
        # As the worker would; this thread has Playwright's event loop.
        with ThreadPoolExecutor(1) as worker:
            assert worker.submit(deliver).result(30) == 1
        if not javascript:
            page.reload()
        expect(page.locator("#delivery")).to_contain_text("delivered")
        expect(page.locator("#delivery[hx-get]")).to_have_count(0)
        page.get_by_role("link", name="ours").click()
        expect(page.locator("#log")).to_contain_text("delivered")
    assert len(receiver.received) == 1

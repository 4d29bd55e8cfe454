"""Settings > Webhooks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals import hook_keys, hook_log, hooks
from approvals.models import Delivery, Hook
from tests.approvals.receiver import receiving
from tests.world import World

pytestmark = pytest.mark.django_db
FORM = {"name": "ours", "url": "http://127.0.0.1:9/in?token=abc", "format": "json"}


@pytest.fixture
def world(kept_world: World, valkey: Any) -> World:
    Hook.objects.for_organization(kept_world.acme).delete()
    return kept_world


@pytest.fixture
def adam(world) -> Client:
    client = Client()
    client.force_login(world.people["adam"].user)
    return client


def add(adam: Client, **given: str):
    return adam.post(reverse("approvals:hooks"), FORM | given)


def only(world: World) -> Hook:
    return Hook.objects.for_organization(world.acme).get()


def test_the_secret_is_shown_once(adam, world):
    page = add(adam)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    hook = only(world)
    url, key = hook_keys.unseal(hook)
    assert (url, hook.url) == (FORM["url"], "http://127.0.0.1:9/in?…")
    assert key in page.content.decode()
    for name, args in (("hooks", []), ("hook", [hook.pk])):
        shown = adam.get(reverse(f"approvals:{name}", args=args)).content.decode()
        assert key not in shown and "token=abc" not in shown


def test_slack_has_an_address_that_nobody_sees_again(adam, world):
    page = add(adam, url="http://127.0.0.1:9/services/T0/B0/secret", format="slack")
    hook = only(world)
    assert page.status_code == 302
    shown = adam.get(reverse("approvals:hook", args=[hook.pk])).content.decode()
    assert "http://127.0.0.1:9/…" in shown
    assert "services/T0" not in shown and "T0/B0" not in shown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "ftp://example.com/"}, "must begin with http"),
        ({"url": "http://169.254.169.254/"}, "not a public address"),
        ({"url": "http://user:pw@example.com/"}, "user name or password"),
        ({"url": "http://127.0.0.1:9/#x"}, "fragment"),
        ({"url": ""}, "required"),
        ({"name": ""}, "required"),
        ({"name": "a\u202eb"}, "U+202E"),
        ({"name": "x" * 101}, "at most 100"),
        ({"format": "xml"}, "valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_it(adam, world, given, said):
    page = add(adam, **given)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert not Hook.objects.for_organization(world.acme).exists()


def test_names_are_taken_once_and_there_are_so_many(adam, world, monkeypatch):
    add(adam)
    assert "has this name" in add(adam).content.decode()
    monkeypatch.setattr(hooks, "MOST_HOOKS", 1)
    page = add(adam, name="another")
    assert (page.status_code, "delete one" in page.content.decode()) == (422, True)
    assert Hook.objects.for_organization(world.acme).count() == 1


def test_a_test_message_arrives_and_is_shown(adam, world):
    with receiving() as receiver:
        add(adam, url=receiver.url())
        hook = only(world)
        answer = adam.post(reverse("approvals:test_hook", args=[hook.pk]))
        page = adam.get(answer["Location"]).content.decode()
        assert "waiting" in page and 'hx-trigger="every 2s"' in page
        hooks.deliver_due(timezone.now())
        (got,) = receiver.received
    told = json.loads(got.body)
    assert told["event"] == "test" and "approval" not in told
    page = adam.get(answer["Location"]).content.decode()
    assert "delivered" in page and "HTTP 204" in page
    assert 'hx-trigger="every 2s"' not in page
    assert "&quot;event&quot;: &quot;test&quot;" in page


def test_sending_again_is_a_message_of_its_own(adam, world):
    with receiving() as receiver:
        add(adam, url=receiver.url())
        hooks.enqueue(world.asked.approval, "requested")
        hooks.deliver_due(timezone.now())
        first = Delivery.objects.for_organization(world.acme).get()
        answer = adam.post(reverse("approvals:resend", args=[first.pk]))
        hooks.deliver_due(timezone.now())
        one, two = receiver.received
    assert one.body == two.body
    page = adam.get(answer["Location"]).content.decode()
    assert reverse("approvals:delivery", args=[first.pk]) in page
    log = adam.get(reverse("approvals:hook", args=[only(world).pk])).content.decode()
    assert "sent again by hand" in log


def test_nothing_is_sent_by_hand_while_it_is_off(adam, world):
    add(adam)
    hook = only(world)
    sent = hooks.test(hook)
    adam.post(reverse("approvals:switch_hook", args=[hook.pk]), {"enabled": "no"})
    hook.refresh_from_db()
    assert not hook.enabled
    for name, key in (("test_hook", hook.pk), ("resend", sent.pk)):
        page = adam.post(reverse(f"approvals:{name}", args=[key]), follow=True)
        assert "switch it on first" in page.content.decode()
    assert Delivery.objects.for_organization(world.acme).count() == 1
    adam.post(reverse("approvals:switch_hook", args=[hook.pk]), {"enabled": "yes"})
    hook.refresh_from_db()
    assert hook.enabled
    wrong = adam.post(reverse("approvals:switch_hook", args=[hook.pk]), {})
    assert wrong.status_code == 404


def test_deleting_asks_first_and_takes_its_log_along(adam, world):
    add(adam)
    hook = only(world)
    hooks.test(hook)
    page = adam.get(reverse("approvals:delete_hook", args=[hook.pk]))
    assert "log of 1 message is deleted" in page.content.decode()
    adam.post(reverse("approvals:delete_hook", args=[hook.pk]))
    assert not Hook.objects.for_organization(world.acme).exists()
    assert not Delivery.objects.for_organization(world.acme).exists()


@pytest.mark.parametrize(
    ("values", "badge"),
    [
        ({}, hook_log.WAITING),
        ({"attempts": 1}, hook_log.SENDING),
        ({"attempts": 1, "error": "x"}, hook_log.AGAIN),
        ({"attempts": 9, "error": "x", "due_at": None}, hook_log.GIVEN_UP),
        ({"attempts": 1, "due_at": None, "delivered_at": 1}, hook_log.DELIVERED),
    ],
)
def test_how_a_message_stands(values, badge):
    assert hook_log.badge_of(Delivery(**values)) == badge


def test_the_log_has_pages_and_a_filter_and_takes_few_queries(adam, world):
    add(adam)
    hook, now = only(world), timezone.now()
    rows = [
        Delivery(
            organization=world.acme,
            hook=hook,
            approval=world.asked.approval,
            event="approval.requested",
            payload="{}",
            created_at=now - timedelta(seconds=number // 3),
            due_at=None,
            delivered_at=now if number % 2 else None,
        )
        for number in range(120)
    ]
    Delivery.objects.bulk_create(rows)
    seen, before, pages = [], "", 0
    while pages == 0 or before:
        page = hook_log.page(hook, "", before)
        seen += [entry.row.pk for entry in page.entries]
        before, pages = page.older, pages + 1
    assert (pages, len(seen), len(set(seen))) == (3, 120, 120)
    assert len(hook_log.page(hook, "failed", "").entries) == hook_log.PAGE
    assert hook_log.page(hook, "waiting", "").entries == []
    for wrong in ("x", "2026-01-01_x", "2026-01-01T00:00:00_" + "0" * 32):
        assert len(hook_log.page(hook, "", wrong).entries) == hook_log.PAGE
    with CaptureQueriesContext(connection) as queries:
        adam.get(reverse("approvals:hook", args=[hook.pk]), {"state": "delivered"})
    assert len(queries) <= 12, [query["sql"] for query in queries]


def test_a_hostile_answer_is_text(adam, world):
    with receiving() as receiver:
        receiver.answer = lambda request: (500, {}, b"<script>alert(1)</script>\x1b[0m")
        add(adam, url=receiver.url())
        answer = adam.post(reverse("approvals:test_hook", args=[only(world).pk]))
        hooks.deliver_due(timezone.now())
    listed = adam.get(reverse("approvals:hooks")).content.decode()
    assert ">failed</span>" in listed.replace("</svg>", ">")
    page = adam.get(answer["Location"]).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page and "failed, again later" in page

"""What hooks are told, when, how often, and how they know that it was us."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from approvals import hook_keys, hook_messages, hook_sending, hooks
from approvals.models import Approval, Delivery, Hook, Via, Vote
from approvals.redaction import MOST_ROWS
from servers import vault
from servers.models import Credential, ToolDefinition
from tests.approvals.receiver import Receiver, receiving
from tests.world import HOSTILE, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(kept_world: World, valkey: Any) -> World:
    """Without the hook that stands there for the pages."""
    Hook.objects.for_organization(kept_world.acme).delete()
    return kept_world


@pytest.fixture
def receiver():
    with receiving() as running:
        yield running


def add(world: World, url: str, name: str = "ours", format: str = "json") -> Hook:
    return hooks.add(world.acme, name, url, format)[0]


def deliveries(world: World) -> list[Delivery]:
    return list(Delivery.objects.for_organization(world.acme).order_by("created_at"))


def only(world: World) -> Delivery:
    (row,) = deliveries(world)
    return row


def send(later: timedelta = timedelta(0)) -> int:
    return hooks.deliver_due(timezone.now() + later)


# -- what is sent ----------------------------------------------------------------------


def test_a_hook_is_told_with_a_signature_that_verifies(world, receiver):
    hook, key = hooks.add(world.acme, "ours", receiver.url("/in?a=b"), "json")
    hooks.enqueue(world.asked.approval, "requested")
    assert send() == 1
    (got,) = receiver.received
    row = only(world)
    assert got.path == "/in?a=b"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["policylayer-delivery"] == str(row.pk)
    assert got.headers["policylayer-event"] == "approval.requested"
    fields = dict(
        part.split("=") for part in got.headers["policylayer-signature"].split(",")
    )
    signed = fields["t"].encode() + b"." + got.body
    expected = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
    assert fields["v1"] == expected
    assert abs(int(fields["t"]) - timezone.now().timestamp()) < 60
    assert (row.status, row.error, row.due_at, row.attempts) == (204, "", None, 1)
    assert row.delivered_at is not None


def docs() -> str:
    return (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_the_check_of_the_docs_takes_ours_and_nothing_else(world, receiver):
    """The example is run as it stands there."""
    _, key = hooks.add(world.acme, "ours", receiver.url(), "json")
    hooks.enqueue(world.asked.approval, "requested")
    send()
    (got,) = receiver.received
    example = docs().partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102
    check, header = names["is_from_policylayer"], got.headers["policylayer-signature"]
    assert check(key, header, got.body)
    assert not check(key, header, got.body + b" ")
    assert not check("plw_other", header, got.body)
    for wrong in ("", "t=1", "v1=0", "t=x,v1=y", header.replace("v1=", "v1=0")):
        assert not check(key, wrong, got.body)
    old = int(timezone.now().timestamp()) - 301
    assert not check(key, hooks.sign(key, old, got.body), got.body)
    now = old + 301
    assert check(key, hooks.sign(key, now, got.body), got.body)


def test_the_docs_have_every_event_and_every_key(world, receiver):
    for event in hook_messages.HEADLINES:
        assert f"| `{hook_messages.name_of(event)}` |" in docs()
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    told = json.loads(only(world).payload)
    for key in (*told, *told["approval"], *told["approval"]["arguments"][0]):
        assert f'"{key}": ' in docs()


def test_the_message_says_what_waits(world, receiver, settings):
    add(world, receiver.url())
    approval = world.asked.approval
    hooks.enqueue(approval, "requested")
    row = only(world)
    told = json.loads(row.payload)
    assert told["event"] == "approval.requested"
    assert told["id"] == str(row.pk)
    assert told["organization"]["slug"] == "acme"
    asked = told["approval"]
    assert asked["id"] == str(approval.pk)
    assert asked["state"] == "pending"
    assert asked["name"] == HOSTILE
    assert asked["requester"] == "alice@example.com"
    assert asked["rules"] == [{"rule": "/tools/x/action", "reason": HOSTILE}]
    assert asked["url"] == f"{settings.BASE_URL}/approvals/{approval.pk}/"


def test_arguments_are_redacted_as_in_mail(world, receiver):
    """By their names, the tool's schema, their looks and the organization's rule."""
    approval = world.asked.approval
    schema = {"properties": {"memo": {"type": "string", "format": "password"}}}
    ToolDefinition.objects.for_organization(world.acme).filter(
        name=approval.name
    ).update(definition=json.dumps({"name": "x", "inputSchema": schema}))
    world.acme.redacted_keys = ["nickname"]
    world.acme.save(update_fields=["redacted_keys"])
    arguments = {"amount": 20000, "memo": "blue", "nickname": "jo", "password": "hi"}
    arguments |= {f"more{n}": n for n in range(MOST_ROWS)}
    Approval.objects.for_organization(world.acme).filter(pk=approval.pk).update(
        arguments=json.dumps(arguments)
    )
    add(world, receiver.url())
    hooks.enqueue(approval, "requested")
    told = json.loads(only(world).payload)["approval"]
    shown = {row["path"]: row for row in told["arguments"]}
    assert shown["amount"] == {"path": "amount", "shown": "20000", "note": ""}
    for name in ("memo", "nickname", "password"):
        assert shown[name]["shown"] == "" and "hidden" in shown[name]["note"]
    assert told["arguments_left_out"] == 4
    assert told["arguments_digest"] == approval.arguments_digest


def test_it_says_how_it_stands_and_who_said_what(world, receiver):
    """The row is read anew: the caller's may be older than its own UPDATE."""
    add(world, receiver.url())
    approval = world.asked.approval
    rows = Approval.objects.for_organization(world.acme).filter(pk=approval.pk)
    rows.update(state="denied", reason="Too much.")
    Vote.objects.create(
        organization=world.acme,
        approval=approval,
        email="anna@example.com",
        role="approver",
        approves=False,
        reason="Too much.",
        via=Via.PAGE,
    )
    hooks.enqueue(approval, "denied")
    told = json.loads(only(world).payload)["approval"]
    assert (told["state"], told["reason"]) == ("denied", "Too much.")
    (vote,) = told["votes"]
    assert (vote["by"], vote["decision"]) == ("anna@example.com", "deny")


def test_slack_text_stays_text_and_has_no_values(world, receiver):
    add(world, receiver.url(), format="slack")
    approval = world.asked.approval
    hostile = "<!channel> `@here` [x](https://evil.example) & *b*"
    rows = Approval.objects.for_organization(world.acme).filter(pk=approval.pk)
    rows.update(name=hostile, rules=[{"rule": "/x", "reason": hostile}])
    hooks.enqueue(approval, "requested")
    payload = only(world).payload
    message = json.loads(payload)
    assert set(message) == {"text", "blocks"}
    section, actions = message["blocks"]
    assert section["text"]["verbatim"] is True
    for text in (message["text"], section["text"]["text"]):
        assert "<" not in text and ">" not in text
        assert text.partition("Rule: ")[0].count("`") == 2
    reason = section["text"]["text"].rpartition("Rule: ")[2]
    for live in ("@here", "](", "https://", "*b"):
        assert live not in reason
    (button,) = actions["elements"]
    assert button["url"].endswith(f"/approvals/{approval.pk}/")
    assert button["text"]["text"] == "Review request"
    assert "20000" not in payload


def test_what_slack_is_told_names_its_cut(world, receiver):
    add(world, receiver.url(), format="slack")
    rows = Approval.objects.for_organization(world.acme)
    rows.filter(pk=world.asked.approval.pk).update(name="n" * 1000)
    hooks.enqueue(world.asked.approval, "requested")
    assert f"`{'n' * 200}…`" in json.loads(only(world).payload)["text"]


@pytest.mark.parametrize("event", sorted(hook_messages.HEADLINES))
@pytest.mark.parametrize("format", Hook.Format.values)
def test_every_event_has_its_words(world, receiver, event, format):
    add(world, receiver.url(), format=format)
    hooks.enqueue(world.asked.approval, event)
    assert send() == 1
    assert json.loads(receiver.received[0].body)


def test_slack_gets_no_signature(world, receiver):
    add(world, receiver.url(), format="slack")
    hooks.enqueue(world.asked.approval, "requested")
    send()
    assert "policylayer-signature" not in receiver.received[0].headers


def test_hooks_that_are_off_and_those_of_others_are_not_told(world, receiver):
    off = add(world, receiver.url(), "off")
    Hook.objects.for_organization(world.acme).filter(pk=off.pk).update(enabled=False)
    foreign = world.people["charlie"].organization
    hooks.add(foreign, "theirs", receiver.url(), "json")
    hooks.enqueue(world.asked.approval, "requested")
    assert deliveries(world) == []
    assert not Delivery.objects.for_organization(foreign).exists()


# -- what is kept ----------------------------------------------------------------------


def test_address_and_key_are_sealed_and_bound_to_the_row(world):
    hook, key = hooks.add(world.acme, "s", "https://hooks.example/T0/secret", "slack")
    assert hook.url == "https://hooks.example/…"
    assert b"secret" not in hook.secret
    assert hook_keys.unseal(hook) == ("https://hooks.example/T0/secret", "")
    other, key = hooks.add(world.acme, "j", "https://in.example/p?token=x", "json")
    assert other.url == "https://in.example/p?…"
    assert key.startswith("plw_") and hook_keys.unseal(other).key == key
    other.secret = hook.secret
    with pytest.raises(vault.Damaged):
        hook_keys.unseal(other)


def test_a_new_master_key_is_taken_into_use(world, receiver, settings, capsys):
    add(world, receiver.url())
    new = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="
    keys = settings.ENCRYPTION_KEYS["keys"]
    settings.ENCRYPTION_KEYS = {"current": "k3", "keys": keys | {"k3": new}}
    Credential.objects.for_organization(world.acme).delete()
    call_command("rewrap_credentials")
    assert "1 webhooks were moved" in capsys.readouterr().out
    settings.ENCRYPTION_KEYS = {"current": "k3", "keys": {"k3": new}}
    hooks.enqueue(world.asked.approval, "requested")
    assert send() == 1 and len(receiver.received) == 1


def test_a_moved_secret_sends_nothing(world, receiver):
    hook = add(world, receiver.url())
    rows = Hook.objects.for_organization(world.acme)
    rows.filter(pk=hook.pk).update(secret=b"\1" + b"x" * 100)
    hooks.enqueue(world.asked.approval, "requested")
    send()
    assert receiver.received == []
    assert "do not open" in only(world).error


def test_an_organization_has_so_many_hooks(world):
    for number in range(hooks.MOST_HOOKS):
        add(world, "https://in.example/", f"hook {number}")
    with pytest.raises(hooks.TooMany):
        add(world, "https://in.example/", "one more")


# -- when it fails ---------------------------------------------------------------------


def failing(status: int, **headers: str):
    return lambda request: (status, headers, b"no <b>thanks</b>")


def test_a_failure_is_repeated_with_the_same_id_until_it_is_taken(world, receiver):
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    receiver.answer = failing(500)
    assert send() == 1
    row = only(world)
    assert (row.status, row.attempts, row.delivered_at) == (500, 1, None)
    assert row.error == "It answered 500: no <b>thanks</b>"
    assert row.due_at is not None
    assert send() == 0
    receiver.answer = lambda request: (200, {}, b"ok")
    assert send(timedelta(minutes=1)) == 1
    row = only(world)
    assert (row.status, row.attempts, row.due_at) == (200, 2, None)
    ids = {got.headers["policylayer-delivery"] for got in receiver.received}
    assert ids == {str(row.pk)}
    assert len({got.body for got in receiver.received}) == 1


def test_waits_double_and_vary_and_take_hours_in_all():
    waits = [hook_sending.wait_after(n) for n in range(1, hook_sending.MOST_ATTEMPTS)]
    for number, wait in enumerate(waits):
        usual = 30 * 2**number
        assert usual * 0.75 <= wait.total_seconds() <= usual * 1.25
    assert len({hook_sending.wait_after(1) for _ in range(20)}) > 10
    assert timedelta(hours=3) < sum(waits, timedelta()) < timedelta(hours=6)


def test_it_is_given_up_after_the_last_attempt(world, receiver):
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    receiver.answer = failing(500)
    for number in range(hook_sending.MOST_ATTEMPTS):
        assert send(timedelta(days=number)) == 1
    row = only(world)
    assert (row.due_at, row.delivered_at) == (None, None)
    assert row.error.startswith("It answered 500")
    assert send(timedelta(days=99)) == 0
    assert len(receiver.received) == hook_sending.MOST_ATTEMPTS


def test_gone_switches_the_hook_off(world, receiver):
    hook = add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    hooks.enqueue(world.asked.approval, "reminder")
    receiver.answer = failing(410)
    send()
    hook.refresh_from_db()
    assert not hook.enabled
    assert {row.due_at for row in deliveries(world)} == {None}


def test_what_falls_due_of_a_hook_that_is_off_is_dropped(world, receiver):
    hook = add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    Hook.objects.for_organization(world.acme).filter(pk=hook.pk).update(enabled=False)
    assert send() == 0
    assert receiver.received == []
    row = only(world)
    assert (row.due_at, row.delivered_at, row.error) == (None, None, hook_sending.OFF)


def test_redirects_are_not_followed(world, receiver):
    add(world, receiver.url())
    receiver.answer = failing(307, Location=receiver.url("/elsewhere"))
    hooks.enqueue(world.asked.approval, "requested")
    send()
    assert [got.path for got in receiver.received] == ["/hook"]
    assert "redirects (307)" in only(world).error


def test_the_rules_for_addresses_hold_when_it_is_sent(world, receiver, settings):
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    settings.ALLOW_PRIVATE_UPSTREAMS = False
    send()
    assert receiver.received == []
    assert "must begin with https://" in only(world).error


def test_our_own_parts_are_never_told(world, receiver, settings):
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    settings.OWN_PORTS = frozenset({receiver.port})
    send()
    assert receiver.received == []
    assert "belongs to this product" in only(world).error


def test_organizations_never_share_a_connection(world, receiver):
    for organization in (world.acme, world.people["charlie"].organization):
        for name in ("one", "two"):
            hooks.test(hooks.add(organization, name, receiver.url(), "json")[0])
    assert hooks.deliver_due(timezone.now(), 1) == 4
    whose: dict[int, set[str]] = {}
    for got in receiver.received:
        slug = json.loads(got.body)["organization"]["slug"]
        whose.setdefault(got.port, set()).add(slug)
    # Within one they do, so that this would be seen.
    assert sorted(map(sorted, whose.values())) == [["acme"], ["other"]]


def test_a_large_answer_is_not_read(world, receiver):
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    receiver.answer = lambda request: (500, {}, b"x" * 1_000_000)
    send()
    assert "larger than" in only(world).error


# -- several workers, slow hooks -------------------------------------------------------


def test_what_a_killed_worker_had_taken_falls_due_again(world, receiver):
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    (taken,) = hook_sending.take(timezone.now(), 10)
    assert send() == 0
    assert send(hook_sending.LEASE + timedelta(seconds=1)) == 1
    row = only(world)
    assert (row.attempts, row.due_at, row.pk) == (2, None, taken.pk)


def test_an_outcome_that_comes_too_late_counts_for_nothing(world, receiver):
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    (taken,) = hook_sending.take(timezone.now(), 10)
    send(hook_sending.LEASE + timedelta(seconds=1))
    hook_sending.settle(taken, hook_sending.Outcome(500, "slow"), timezone.now())
    assert (only(world).status, only(world).due_at) == (204, None)


def test_a_message_that_kills_its_worker_is_given_up(world, receiver):
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    now = timezone.now()
    for number in range(hook_sending.MOST_ATTEMPTS):
        assert hook_sending.take(now + timedelta(hours=number), 10)
    assert hook_sending.take(now + timedelta(hours=99), 10) == []
    assert only(world).error == hook_sending.DIED


def test_while_one_worker_sends_another_does_not(world, receiver, valkey):
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    with valkey.lock(hook_sending.LOCK, timeout=10):
        assert send() == 0
    assert send() == 1


def test_each_hook_has_its_first_before_any_has_its_second(world):
    busy, calm = add(world, "https://a.example/", "a"), add(world, "https://b.example/")
    for _ in range(30):
        hooks.test(busy)
    last = hooks.test(calm)
    taken = hook_sending.take(timezone.now(), 50)
    assert len(taken) == hook_sending.AT_ONE_HOOK + 1
    taken = hook_sending.take(timezone.now() + timedelta(hours=1), 2)
    assert last.hook_id in {row.hook_id for row in taken}
    assert hook_sending.take(timezone.now(), 50, {busy.pk, calm.pk}) == []


def test_a_slow_hook_delays_no_other(world):
    """The slow one answers only once all others have been told all they are to be."""
    done = threading.Event()
    with receiving() as slow, receiving() as quick:
        told = 20

        def wait(request):
            assert done.wait(8)
            return 200, {}, b""

        def count(request):
            if len(quick.received) >= told:
                done.set()
            return 200, {}, b""

        slow.answer, quick.answer = wait, count
        lame = add(world, slow.url(), "slow")
        fast = add(world, quick.url(), "quick")
        for _ in range(told):
            hooks.test(lame)
        for _ in range(told):
            hooks.test(fast)
        assert send() == 2 * told
        assert len(slow.received) == len(quick.received) == told
        assert slow.most_at_once <= hook_sending.AT_ONE_HOOK
    assert all(row.delivered_at for row in deliveries(world))


def test_no_more_than_the_limit_at_once(world, receiver: Receiver):
    """The first hold out for a fourth beside them, which never comes."""
    fourth = threading.Event()

    def answer(request):
        if len(receiver.received) > 3:
            fourth.set()
        fourth.wait(2.5 * hook_sending.TURN_SECONDS)
        return 204, {}, b""

    receiver.answer = answer
    for number in range(6):
        hook = add(world, receiver.url(), f"hook {number}")
        for _ in range(3):
            hooks.test(hook)
    assert hooks.deliver_due(timezone.now(), 3) == 18
    assert receiver.most_at_once == 3


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_take_each_row_once(world):
    hook = add(world, "https://a.example/")
    for _ in range(AT_STAKE):
        hooks.test(hook)
    taken: list[Delivery] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait(10)
        for _ in range(AT_STAKE):
            taken.extend(hook_sending.take(timezone.now(), 3))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert len(taken) == len({row.pk for row in taken}) == AT_STAKE


AT_STAKE = 24


def test_the_log_is_kept_for_a_while(world, receiver):
    """What is repeated by hand outlives what it repeats."""
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    old = only(world)
    again = hooks.resend(old)
    Delivery.objects.for_organization(world.acme).filter(pk=old.pk).update(
        created_at=timezone.now() - hook_sending.KEPT - timedelta(seconds=1)
    )
    send()
    kept = only(world)
    assert (kept.pk, kept.resent_from) == (again.pk, None)


# -- again, by hand --------------------------------------------------------------------


def test_resending_is_a_delivery_of_its_own_with_the_same_text(world, receiver):
    add(world, receiver.url())
    hooks.enqueue(world.asked.approval, "requested")
    send()
    first = only(world)
    again = hooks.resend(first)
    assert again.resent_from == first
    assert send() == 1
    one, two = receiver.received
    assert one.body == two.body
    assert two.headers["policylayer-delivery"] == str(again.pk)

"""The signed link in a mail: whose it is, when it ends, and that it changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.signing import TimestampSigner
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals import events, links
from approvals.models import Approval, Notice, State
from tests.world import World, make_approval

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(kept_world: World) -> World:
    kept_world.asked.delegation.delete()
    return kept_world


@pytest.fixture
def asked(world: World) -> Approval:
    made = make_approval(world.grant, State.PENDING)
    made.save()
    with transaction.atomic():
        events.emit(made, "requested")
    return made


def notice(approval: Approval, name: str = "anna") -> Notice:
    rows = Notice.objects.across_organizations().filter(approval=approval)
    return rows.get(user__email=f"{name}@example.com")


def signed(of: Notice) -> str:
    path, _ = links.make(of)
    return path.removeprefix("/approvals/link/").removesuffix("/")


def sign(text: str, salt: str = links.SALT) -> str:
    return TimestampSigner(salt=salt).sign(text)


def test_it_leads_its_recipient_to_the_request(asked: Approval) -> None:
    row = notice(asked)
    assert links.open(signed(row), row.user) == asked


def test_the_row_keeps_the_hash_of_the_nonce(asked: Approval) -> None:
    row = notice(asked)
    nonce = signed(row).split(":")[0].partition(".")[2]
    assert len(nonce) == links.NONCE_DIGITS
    assert bytes(row.nonce_hash or b"") == links.digest(nonce) == links.make(row)[1]


@pytest.mark.parametrize("name", ["adam", "alice", "charlie"])
def test_it_is_for_its_recipient_only(world: World, asked: Approval, name: str) -> None:
    with pytest.raises(links.NotYours):
        links.open(signed(notice(asked)), world.people[name].user)


def test_nobody_elses_is_told_that_it_expired(world: World, asked: Approval) -> None:
    Approval.objects.across_organizations().update(expires_at=timezone.now())
    with pytest.raises(links.NotYours):
        links.open(signed(notice(asked)), world.people["adam"].user)


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"state": State.EXPIRED},
        {"state": State.DENIED, "expires_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_it_expires_with_the_request(
    asked: Approval, change: dict[str, object]
) -> None:
    row = notice(asked)
    Approval.objects.across_organizations().filter(pk=asked.pk).update(**change)
    with pytest.raises(links.Expired) as expired:
        links.open(signed(row), row.user)
    assert expired.value.approval == asked


@pytest.mark.parametrize("state", set(State) - {State.EXPIRED})
def test_until_then_it_shows_what_became_of_it(asked: Approval, state: str) -> None:
    row = notice(asked)
    Approval.objects.across_organizations().filter(pk=asked.pk).update(state=state)
    assert links.open(signed(row), row.user).state == state


def test_each_changed_character_is_refused(asked: Approval) -> None:
    row = notice(asked)
    whole = signed(row)
    for place, char in enumerate(whole):
        changed = whole[:place] + ("A" if char != "A" else "B") + whole[place + 1 :]
        with pytest.raises(links.NotOurs):
            links.open(changed, row.user)
    for length in range(len(whole)):
        with pytest.raises(links.NotOurs):
            links.open(whole[:length], row.user)


def test_a_signature_for_something_else_is_refused(asked: Approval) -> None:
    row = notice(asked)
    name = signed(row).split(":")[0]
    assert links.open(sign(name), row.user) == asked
    with pytest.raises(links.NotOurs):
        links.open(sign(name, "accounts.invitation"), row.user)


@pytest.mark.parametrize("text", ["", ".", "x.y", "0" * 32, "0" * 32 + ".x"])
def test_what_names_no_notice_is_refused(asked: Approval, text: str) -> None:
    with pytest.raises(links.NotOurs):
        links.open(sign(text), notice(asked).user)


def test_the_nonce_of_another_notice_is_refused(asked: Approval) -> None:
    row, other = notice(asked), notice(asked, "bob")
    nonce = signed(other).split(":")[0].partition(".")[2]
    with pytest.raises(links.NotOurs):
        links.open(sign(f"{row.pk.hex}.{nonce}"), row.user)


@pytest.mark.parametrize("kept", [None, b"", b"x" * 32])
def test_a_row_can_take_its_link_back(asked: Approval, kept: bytes | None) -> None:
    row = notice(asked)
    whole = signed(row)
    Notice.objects.across_organizations().filter(pk=row.pk).update(nonce_hash=kept)
    with pytest.raises(links.NotOurs):
        links.open(whole, row.user)


def test_with_another_secret_key_it_is_refused(asked: Approval, settings) -> None:
    row = notice(asked)
    whole = signed(row)
    settings.SECRET_KEY = "another" * 10
    with pytest.raises(links.NotOurs):
        links.open(whole, row.user)


def test_a_notice_of_no_request_has_none(world: World) -> None:
    Notice.objects.across_organizations().all().delete()
    with transaction.atomic():
        events.emit_opening(world.asked.opening, "opened")
    row = Notice.objects.across_organizations().get(
        opening__isnull=False, approval=None
    )
    with pytest.raises(links.NotOurs):
        links.open(signed(row), row.user)


def test_opening_it_writes_nothing(asked: Approval) -> None:
    """Again and again; a thousand times in test_pages.py."""
    row = notice(asked)
    whole = signed(row)
    with CaptureQueriesContext(connection) as seen:
        for _ in range(10):
            links.open(whole, row.user)
    assert {query["sql"].split()[0] for query in seen} == {"SELECT"}


def test_it_is_short_enough_for_one_line(asked: Approval) -> None:
    assert len(links.make(notice(asked))[0]) < 150

"""Mail of definitions that became more severe: to whom, how often, and inert."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import members
from accounts.models import Membership, Organization
from config.env import smtp
from servers import drift_mail, drift_notices, registering
from servers.definitions import read_tools
from servers.discovery import Discovery
from servers.models import DriftNotice, Server
from tests.approvals.smtp import MailServer, mail_server
from tests.servers.upstream import tool

pytestmark = pytest.mark.django_db
EVIL = "https://evil.example/\u202egpj"


@pytest.fixture
def mails(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        for name, value in smtp(server.url).items():
            setattr(settings, name, value)
        yield server


@pytest.fixture
def server(
    acme: Organization, alice: Membership, bob: Membership, dora: Membership,
    valkey: object, classified: Any,
) -> Server:  # fmt: skip
    return registering.register(
        acme, f"files {EVIL}", "http://x/", {}, says(["get", "put"], "Reads")
    )


def says(names: list[str], text: str) -> Discovery:
    listed = [tool(name, description=text) for name in names]
    return Discovery("modern", "2026-07-28", tools=tuple(read_tools(listed)[0]))


def lists(server: Server, names: list[str], text: str) -> None:
    registering.store(server, says(names, text))


def rows() -> list[DriftNotice]:
    return list(DriftNotice.objects.across_organizations().order_by("created_at"))


def later(**of: float) -> None:
    """As if so much time had gone by."""
    for row in rows():
        by = timedelta(**of)
        sent = row.sent_at - by if row.sent_at else None
        DriftNotice.objects.across_organizations().filter(pk=row.pk).update(
            created_at=row.created_at - by, due_at=row.due_at - by, sent_at=sent
        )


def test_one_mail_a_look_to_those_who_may_accept(
    server: Server, mails: MailServer
) -> None:
    lists(server, ["get", "put"], "Deletes")
    assert mails.mails == []
    assert drift_mail.deliver_due() == 2
    assert mails.recipients() == ["alice@example.com", "bob@example.com"]
    (mail,) = (one for one in mails.mails if "bob" in one["To"])
    assert mail["Subject"] == (
        "2 tools became more severe: held until somebody accepts"
    )
    for part in mail.iter_parts():
        body = part.get_content()
        assert f"/servers/{server.public_id}/?state=held" in body
        assert "low before" in body
        assert "critical" in body
        assert "evil.example" not in body
        assert "\u202e" not in body
    assert drift_mail.deliver_due() == 0


def test_it_is_mailed_where_nothing_is_held(server: Server, mails: MailServer) -> None:
    registering.update_server(server, hold_raised=False)
    lists(server, ["get", "put"], "Deletes")
    drift_mail.deliver_due()
    assert mails.mails[0]["Subject"] == "2 tools became more severe"
    assert len(mails.mails) == 2


def test_the_same_again_and_what_becomes_harmless_is_not_mailed(
    server: Server,
) -> None:
    lists(server, ["get", "put"], "Reads all")
    assert rows() == []
    lists(server, ["get", "put"], "Deletes")
    lists(server, ["get", "put"], "Deletes")
    assert len(rows()) == 2


def test_a_server_that_changes_back_and_forth_fills_no_mailbox(
    server: Server, mails: MailServer
) -> None:
    registering.update_server(server, hold_raised=False)
    for _ in range(5):
        lists(server, ["get"], "Deletes")
        drift_mail.deliver_due()
        lists(server, ["get"], "Reads")
    assert len(mails.mails) == 2
    later(minutes=11)
    lists(server, ["get"], "Runs")
    drift_mail.deliver_due()
    assert len(mails.mails) == 4
    assert drift_mail.deliver_due() == 0


def test_what_comes_while_a_mail_waits_goes_out_with_it(
    server: Server, mails: MailServer
) -> None:
    lists(server, ["get", "put"], "Writes")
    lists(server, ["put"], "Deletes")
    assert len(rows()) == 2
    tools = {each["name"]: each for each in rows()[0].tools}
    assert (tools["put"]["before"], tools["put"]["after"]) == ("low", "critical")
    assert tools["get"]["after"] == "medium"


def test_a_mail_server_that_refuses_is_tried_again(
    server: Server, mails: MailServer
) -> None:
    lists(server, ["get", "put"], "Deletes")
    mails.refusal = "451 Try again later"
    assert drift_mail.deliver_due() == 0
    assert {row.attempts for row in rows()} == {1}
    assert "Try again later" in rows()[0].error
    mails.refusal = ""
    assert drift_mail.deliver_due() == 0
    later(seconds=11)
    assert drift_mail.deliver_due() == 2
    assert [row.sent_at is not None for row in rows()] == [True, True]


def test_in_the_end_it_is_given_up(server: Server, mails: MailServer) -> None:
    lists(server, ["get", "put"], "Deletes")
    mails.refusal = "550 No such user"
    DriftNotice.objects.across_organizations().update(
        attempts=drift_notices.MOST_ATTEMPTS - 1
    )
    drift_mail.deliver_due()
    assert [row.dropped_at is not None for row in rows()] == [True, True]
    assert "No such user" in rows()[0].error


def test_who_may_no_longer_accept_is_not_told(
    server: Server, mails: MailServer, alice: Membership, bob: Membership
) -> None:
    lists(server, ["get", "put"], "Deletes")
    members.change_role(alice, bob, "viewer")
    assert drift_mail.deliver_due() == 1
    assert mails.recipients() == ["alice@example.com"]


def test_two_workers_send_one_mail(server: Server) -> None:
    lists(server, ["get"], "Deletes")
    now = timezone.now()
    taken = [drift_notices.take(now) for _ in range(3)]
    assert len({row.pk for row in taken if row}) == 2
    assert taken[2] is None

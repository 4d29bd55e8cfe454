"""The mails themselves: what they say, and what a hostile name can do in them."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

from approvals import clock, events, links, mailing, notices
from approvals.mail_words import clock_time, line, short, time_left
from approvals.models import Approval, Kind, Notice, State, Via, Vote
from approvals.notices import Letter
from servers.models import ToolDefinition
from tests.world import World, make_approval

pytestmark = pytest.mark.django_db

EVIL = (
    "x\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>\u202egnp.exe\u2066"
    "\x00 https://evil.example/approve </bdi><a href='https://evil.example'>y</a>"
).replace("\x00", "")


@pytest.fixture
def world(kept_world: World) -> World:
    Notice.objects.across_organizations().all().delete()
    Approval.objects.across_organizations().all().delete()
    kept_world.asked.delegation.delete()
    return kept_world


def plain(world: World) -> Approval:
    """A request as people make them."""
    world.server.name = "stripe"
    world.server.save()
    world.grant.label = "refund bot"
    world.grant.save()
    world.acme.name, world.acme.zone = "Acme", "Europe/Paris"
    world.acme.save()
    made = make_approval(world.grant, State.PENDING)
    made.name, made.client = "create_refund", "claude-code 2.1"
    made.severity, made.category = "critical", "Financial"
    made.arguments = json.dumps(
        {"amount": 20000, "note": "late", "password": "hunter2"}
    )
    made.rules = [
        {"rule": "/tools/create_refund/approve_if/0", "reason": "Large refund"}
    ]
    made.expires_at = clock.now() + timedelta(minutes=9, seconds=30)
    return made


def letter(approval: Approval, event: str = "requested", to: str = "anna") -> Letter:
    approval.save()
    with transaction.atomic():
        events.emit(approval, event)
    while taken := notices.take():
        if taken.to.user.email == f"{to}@example.com":
            return taken
    raise AssertionError(f"no mail for {to}")


def sent(taken: Letter) -> EmailMessage:
    raw = mailing.message(taken).message().as_bytes()
    return message_from_bytes(raw, policy=policy.default)


def parts(taken: Letter) -> tuple[str, str, str]:
    mail = sent(taken)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text and html
    return mail["Subject"].strip(), text.get_content(), html.get_content()


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def links(self) -> list[str | None]:
        return [given["href"] for tag, given in self.tags if tag == "a"]


def folded(text: str) -> str:
    return " ".join(text.replace("\u2060", "").split())


def test_both_parts_say_all_that_is_asked(world: World) -> None:
    subject, text, html = parts(letter(plain(world)))
    assert subject == "Approval needed: create_refund on stripe"
    for said in (folded(text), folded(Page(html).text)):
        for each in (
            *("create_refund", "stripe", "Alice (alice@example.com)", "refund bot"),
            *("claude-code 2.1", "critical", "Financial", "Large refund", "Acme"),
            *("/tools/create_refund/approve_if/0", "amount", "20000", "late"),
            "in 9 minutes. Then the answer is no.",
            "hidden (its name): a text",
            "shows all of them, whole",
        ):
            assert each in said, each
        assert re.search(r"at \d\d:\d\d Europe/Paris, in 9 minutes", said) or re.search(
            r"at \d\d:\d\d on \w+ \d+ \w+ Europe/Paris, in 9 minutes", said
        )
        assert "hunter2" not in said
        assert "Needed" not in said


def test_there_is_one_link_and_it_only_leads_there(world: World) -> None:
    taken = letter(plain(world))
    _, text, html = parts(taken)
    (link,) = re.findall(r"https?://\S+", text)
    assert Page(html).links == [link]
    path = link.removeprefix("http://127.0.0.1:8000")
    signed = path.removeprefix("/approvals/link/").removesuffix("/")
    assert links.open(signed, taken.to.user).pk == taken.notices[0].approval_id
    assert not re.search(r"approve=|deny=|/decide/", text + html)


def test_nothing_is_loaded_and_nothing_runs(world: World) -> None:
    approval = plain(world)
    approval.name = EVIL
    _, _, html = parts(letter(approval))
    page = Page(html)
    allowed = {"html", "head", "meta", "title", "body", "div", "h1", "h2", "p", "span"}
    assert {tag for tag, _ in page.tags} <= allowed | {"a", "bdi", "b", "i", "br"}
    names = {name for _, given in page.tags for name in given}
    assert names <= {"lang", "charset", "name", "content", "style", "href"}
    styles = " ".join(given.get("style") or "" for _, given in page.tags)
    assert "url(" not in styles
    assert "@import" not in styles


@pytest.mark.parametrize(
    "name", [EVIL, "\u05d0" * 50, "x" * 1000, "\n" * 300, "\ud7ff"]
)
def test_hostile_names_are_inert(world: World, name: str) -> None:
    approval = plain(world)
    approval.name = approval.client = approval.rules[0]["reason"] = name
    approval.client = name[:256]
    approval.requester.user.name = name[:200]
    approval.requester.user.save()
    world.server.name, world.grant.label = name[:100], name[:100]
    world.server.save()
    world.grant.save()
    world.acme.name = name[:120]
    world.acme.save()
    taken = letter(approval)
    mail = sent(taken)
    assert sorted(mail.keys()) == sorted(
        [
            *("Content-Type", "MIME-Version", "Subject", "From", "To", "Date"),
            *("Message-ID", "Auto-Submitted", "References"),
        ]
    )
    assert mail["To"] == "anna@example.com"
    assert len(mail["Subject"]) < 200
    _, text, html = parts(taken)
    assert "<script" not in html
    assert len(Page(html).links) == 1
    assert "://evil" not in text
    for part in (str(mail["Subject"]), text, html):
        kinds = {unicodedata.category(char) for char in part if char not in "\n\u2060"}
        isolates = kinds & {"Cf"} and set(part) & set("\u2068\u2069")
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
        assert isolates or not kinds & {"Cf"}
        assert not set(part) & set("\u202e\u2066\u202a\u200f")
    forged = [each for each in text.splitlines() if each.startswith(("Bcc", "Review"))]
    assert forged == ["Review request:"]


def test_the_subject_has_no_values(world: World) -> None:
    approval = plain(world)
    approval.method, approval.name = "resources/read", "file:///home/alice/salaries"
    subject, text, _ = parts(letter(approval))
    assert subject == "Approval needed: a resource on stripe"
    assert "salaries" in text


def test_an_address_with_a_password_is_not_shown(world: World) -> None:
    approval = plain(world)
    approval.method, approval.name = "resources/read", "ftp://bob:hunter2@example.com/"
    subject, text, html = parts(letter(approval))
    assert "hunter2" not in subject + text + html
    assert "looks like a secret" in text


def test_a_reminder_and_an_escalation_say_so(world: World) -> None:
    approval = plain(world)
    approval.escalate_to = ["anna@example.com"]
    taken = letter(approval)
    again = letter(approval, "reminder")
    last = letter(approval, "escalated")
    found = [
        (parts(each)[0], sent(each)["References"]) for each in (taken, again, last)
    ]
    assert [subject.partition(" needed")[0] for subject, _ in found] == [
        "Approval",
        "Reminder: approval",
        "Escalation: approval",
    ]
    assert len({thread for _, thread in found}) == 1
    assert len({sent(each)["Message-ID"] for each in (taken, again, last)}) == 3
    assert "half of its time is over" in parts(again)[1]


def test_the_same_letter_has_the_same_message_id(world: World) -> None:
    taken = letter(plain(world))
    assert sent(taken)["Message-ID"] == sent(taken)["Message-ID"]
    assert sent(taken)["Message-ID"] == f"<{taken.id.hex}@localhost>"
    assert sent(taken)["Auto-Submitted"] == "auto-generated"


def test_a_quorum_says_how_many_and_how_far(world: World) -> None:
    approval = plain(world)
    approval.terms = [{"approvers": ["role:approver"], "quorum": 2}]
    approval.save()
    adam = world.people["adam"]
    Vote.objects.create(
        organization=world.acme,
        approval=approval,
        user=adam.user,
        email=adam.user.email,
        role=adam.role,
        approves=True,
        via=Via.PAGE,
    )
    _, text, html = parts(letter(approval))
    assert "2 approvers of Acme; 1 approval so far" in text
    assert "2 approvers of Acme; 1 approval so far" in html


def test_who_asks_but_has_no_verdict_counts_as_critical(world: World) -> None:
    approval = plain(world)
    approval.severity, approval.critical = "high", True
    assert "high, confirmed by nobody: counts as critical" in parts(letter(approval))[1]


def test_the_tools_schema_and_the_organization_redact(world: World) -> None:
    ToolDefinition.objects.across_organizations().filter(pk=world.tool.pk).update(
        name="create_refund",
        definition=json.dumps(
            {"inputSchema": {"properties": {"memo": {"writeOnly": True}}}}
        ),
    )
    approval = plain(world)
    world.acme.redacted_keys = ["customer-name"]
    world.acme.save()
    approval.arguments = json.dumps({"memo": "secret1", "customerName": "secret2"})
    _, text, html = parts(letter(approval))
    assert "secret1" not in text + html
    assert "secret2" not in text + html
    assert "the tool's schema marks it" in text
    assert "your organization's rule" in text


def test_what_is_left_out_is_said(world: World) -> None:
    approval = plain(world)
    approval.arguments = json.dumps({"ids": list(range(100)), "text": "word " * 99})
    _, text, html = parts(letter(approval))
    for said in (text, html):
        assert "61 more values: not in this mail." in said
        assert "shows all of them, whole" in said


def test_without_arguments(world: World) -> None:
    approval = plain(world)
    approval.arguments = "{}"
    _, text, html = parts(letter(approval))
    assert "None." in text
    assert "None." in html
    assert "whole" not in text


def test_a_digest_lists_each_with_its_own_link(world: World) -> None:
    world.acme.mails_most = 0
    world.acme.save()
    first, second = plain(world), plain(world)
    second.name = EVIL
    for approval in (first, second):
        approval.save()
        with transaction.atomic():
            events.emit(approval, "requested")
    Notice.objects.across_organizations().update(
        created_at=F("created_at") - notices.GATHERING
    )
    taken = notices.take()
    assert taken
    subject, text, html = parts(taken)
    assert subject == "2 calls wait for approval at Acme"
    found = re.findall(r"\S+/approvals/link/\S+/", text)
    assert Page(html).links == found
    opened = [
        links.open(each.split("/link/")[1].rstrip("/"), taken.to.user).pk
        for each in found
    ]
    assert opened == [first.pk, second.pk]
    assert "References" not in sent(taken)
    assert "hunter2" not in text + html
    assert "<script" not in html


def test_a_request_and_its_reminder_in_one_digest_are_one_entry(world: World) -> None:
    world.acme.mails_most = 0
    world.acme.save()
    approval = plain(world)
    approval.save()
    for event in ("requested", "reminder"):
        with transaction.atomic():
            events.emit(approval, event)
    Notice.objects.across_organizations().update(
        created_at=F("created_at") - notices.GATHERING
    )
    taken = notices.take()
    assert taken
    assert {each.kind for each in taken.notices} == {Kind.REQUEST, Kind.REMINDER}
    assert parts(taken)[0] == "Reminder: approval needed: create_refund on stripe"


def test_break_glass_says_who_what_why_and_how_long(world: World) -> None:
    opening = world.asked.opening
    opening.reason = "Payments are down"
    opening.save()
    with transaction.atomic():
        events.emit_opening(opening, "opened")
    taken = notices.take()
    assert taken
    subject, text, html = parts(taken)
    assert subject.startswith("Break-glass at ")
    for said in (folded(text), folded(Page(html).text)):
        for each in ("alice@example.com", "Payments are down", "UTC", "owner"):
            assert each in said
    assert Page(html).links == ["http://127.0.0.1:8000/settings/emergency/"]
    assert "<script" not in html


NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "said"),
    [
        ((21, 12, 9), "Europe/Paris", "13:09 Europe/Paris"),
        ((21, 12, 9), "Etc/UTC", "12:09 UTC"),
        ((22, 1, 5), "Etc/UTC", "01:05 on Sunday 22 November UTC"),
        ((21, 23, 30), "Asia/Tokyo", "08:30 on Sunday 22 November Asia/Tokyo"),
        ((21, 12, 9), "Mars/Olympus", "12:09 UTC"),
        ((21, 12, 9), "../../etc/passwd", "12:09 UTC"),
    ],
)
def test_clock_time(moment: tuple[int, int, int], zone: str, said: str) -> None:
    day, hour, minute = moment
    at = datetime(2026, 11, day, hour, minute, tzinfo=UTC)
    assert clock_time(at, NOON, zone) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "in less than a minute"),
        (59, "in less than a minute"),
        (60, "in 1 minute"),
        (599, "in 9 minutes"),
        (3600, "in 1 hour"),
        (86_399, "in 23 hours 59 minutes"),
    ],
)
def test_time_left(seconds: int, said: str) -> None:
    assert time_left(NOON + timedelta(seconds=seconds), NOON) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("create_refund", "create_refund"),
        ("a\r\n\tb", "a‹U+000D›‹U+000A›‹U+0009›b"),
        ("\u202ex\u2060", "‹U+202E›x‹U+2060›"),
        ("evil.com/x", "evil.\u2060com/x"),
        ("evil.co.uk", "evil.\u2060co.\u2060uk"),
        ("www.evil.example", "www.\u2060evil.example"),
        ("files.read args.amount", "files.read args.amount"),
        ("https://1.2.3.4", "https:\u2060//1.2.3.4"),
        ("jo@example.com, a@b.co", "jo@example.com, a@b.co"),
        ("10.50, e.g. this.", "10.50, e.g. this."),
        ("\u05d0", "\u2068\u05d0\u2069"),
        ("x" * 201, "x" * 200 + "… (the first 200 of 201 characters)"),
    ],
)
def test_line(text: str, said: str) -> None:
    assert line(text) == said


def test_short() -> None:
    assert short("y" * 61) == "y" * 60 + "…"

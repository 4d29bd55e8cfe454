"""Mail that stays here: kept whole and private, shown to who has the link, inert."""

from __future__ import annotations

import socket
import stat
from email.header import decode_header, make_header
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from django.core.mail import EmailMultiAlternatives, send_mail
from django.test import Client

from accounts import mailbox
from config.env import smtp

SECRET = "test-mailbox-secret"
PLACE = f"/mailbox/{SECRET}/"


@pytest.fixture(autouse=True)
def kept(settings, tmp_path):
    settings.EMAIL_BACKEND = "accounts.mailbox.FileMailbox"
    settings.EMAIL_FILE_PATH = tmp_path / "data" / "mail"
    return settings


def write(subject: str = "Hello", text: str = "Text", html: str = "") -> str:
    message = EmailMultiAlternatives(subject, text, "us@example.com", ["a@example.com"])
    if html:
        message.attach_alternative(html, "text/html")
    assert message.send() == 1
    return mailbox.newest()[0].name


def test_a_mail_is_one_private_file(kept):
    write("Grüße", "Zeile\n" * 3)
    (file,) = kept.EMAIL_FILE_PATH.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.EMAIL_FILE_PATH.stat().st_mode) == 0o700
    assert mailbox.NAME.fullmatch(file.stem)
    mail = mailbox.newest()[0]
    assert (mail.subject, mail.text.splitlines()) == ("Grüße", ["Zeile"] * 3)


def test_the_newest_comes_first():
    names = [write(f"Mail {n}") for n in range(3)]
    assert [mail.name for mail in mailbox.newest()] == names[::-1]
    assert len(mailbox.newest(2)) == 2


def test_a_half_written_mail_is_not_shown(kept):
    write()
    (kept.EMAIL_FILE_PATH / ".01795253886246367472-0123456789abcdef").write_bytes(b"S")
    assert len(mailbox.newest()) == 1


@pytest.mark.parametrize("name", ["../secret", "x", "", "0" * 20 + "-" + "g" * 16])
def test_only_names_of_mails_are_read(kept, name):
    kept.EMAIL_FILE_PATH.mkdir(parents=True)
    (kept.EMAIL_FILE_PATH.parent / "secret.eml").write_text("Subject: no\n\n")
    assert mailbox.read(name) is None


def test_the_pages_show_the_mail_and_its_links(client, db):
    name = write("Confirm", "Go to http://127.0.0.1:8000/account/ now", "<p>Hi</p>")
    assert "Confirm" in client.get(PLACE).content.decode()
    page = client.get(f"{PLACE}{name}/")
    assert '<a href="http://127.0.0.1:8000/account/"' in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store"


def test_hostile_mail_is_inert(client, db):
    evil = "<script>alert(1)</script>\u202e\x07"
    name = write(evil.replace("\x07", ""), evil, f"<h1>Hi</h1>{evil}<img src=//x.test>")
    for place in (PLACE, f"{PLACE}{name}/"):
        page = client.get(place).content.decode()
        assert "<script>alert" not in page
        assert "\u202e" not in page and "\x07" not in page
    html = client.get(f"{PLACE}{name}/html/")
    rules = html["Content-Security-Policy"]
    assert "default-src 'none'" in rules and "sandbox allow-popups" in rules
    assert "script-src" not in rules and "allow-scripts" not in rules
    assert html["X-Frame-Options"] == "SAMEORIGIN"
    frame = client.get(f"{PLACE}{name}/").content.decode()
    assert 'sandbox="allow-popups' in frame


@pytest.mark.parametrize("secret", ["wrong", "", SECRET[:-1], SECRET + "x", "é"])
def test_without_the_secret_there_is_no_such_page(client, db, secret):
    name = write()
    for place in ("", f"{name}/", f"{name}/html/"):
        assert client.get(f"/mailbox/{secret}/{place}").status_code == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"MAILBOX_SECRET": ""},
        {"LOOPBACK_ONLY": False},
        {"MAIL_STAYS_HERE": False},
    ],
)
def test_it_exists_only_where_everything_is_local(client, db, settings, changed):
    assert client.get(PLACE).status_code == 200
    for name, value in changed.items():
        setattr(settings, name, value)
    assert client.get(PLACE).status_code == 404
    assert client.get("/mailbox//").status_code == 404


def test_another_machine_does_not_reach_it(db):
    assert Client(REMOTE_ADDR="192.168.1.7").get(PLACE).status_code == 404
    assert Client(REMOTE_ADDR="::1").get(PLACE).status_code == 200


def test_a_mail_that_is_gone_is_a_404(client, db):
    gone = f"{PLACE}{'0' * 20}-{'a' * 16}/"
    assert client.get(gone).status_code == 404
    assert client.get(f"{gone}html/").status_code == 404


class Inbox(Message):
    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Any] = []

    def handle_message(self, message) -> None:
        self.mails.append(message)


def test_with_email_url_it_goes_out_by_smtp(settings):
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        for name, value in smtp(f"smtp://127.0.0.1:{port}").items():
            setattr(settings, name, value)
        send_mail("Grüße", "Text", "us@example.com", ["a@example.com"])
    finally:
        server.stop()
    (mail,) = inbox.mails
    assert mail["X-RcptTo"] == "a@example.com"
    assert str(make_header(decode_header(mail["Subject"]))) == "Grüße"
    assert not settings.EMAIL_FILE_PATH.exists()

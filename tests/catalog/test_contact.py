"""The contact form: stored, mailed once, and hard to abuse."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import call_command
from django.core.signing import TimestampSigner
from django.db import connections
from django.test import Client
from redis import RedisError

from catalog import contact_form, contact_mail, contact_pages, rates
from catalog.contact_form import ContactForm, named_page
from catalog.models import Message
from catalog.tasks import mail_messages

pytestmark = pytest.mark.django_db
OPERATOR = "operator@example.com"
SAID = {"name": "Ada", "email": "ada@example.com", "message": "A verdict is wrong."}


@pytest.fixture(autouse=True)
def mailed(settings, valkey):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.OPERATOR_EMAIL = OPERATOR


@pytest.fixture
def form(monkeypatch):
    """`form(**fields)`: the page opened, filled in, and sent after long enough."""

    def sent(client=None, **fields):
        client = client or Client()
        page = client.get("/contact/").content.decode()
        [opened] = re.findall(r'name="opened" value="([^"]+)"', page)
        with monkeypatch.context() as later:
            later.setattr(contact_form, "LEAST_SECONDS", -1)
            return client.post("/contact/", SAID | {"opened": opened} | fields)

    return sent


def test_a_message_is_stored_and_said_to_be_sent(form):
    client = Client()
    answer = form(client, page="/attacks/rug-pull/?x=1")
    assert answer.status_code == 302
    shown = client.get(answer["Location"]).content.decode()
    assert "Message sent. We'll get back to you soon." in shown
    [row] = Message.objects.all()
    assert (row.name, row.email, row.text) == tuple(SAID.values())
    assert row.page == "/attacks/rug-pull/" and row.mailed_at is None


def test_it_alone_sets_a_cookie_and_no_cache_keeps_it(settings):
    answer = Client().get("/contact/")
    assert list(answer.cookies) == [settings.CSRF_COOKIE_NAME]
    assert "no-store" in answer["Cache-Control"]
    refused = Client(enforce_csrf_checks=True).post("/contact/", SAID)
    assert refused.status_code == 403 and not Message.objects.exists()


def test_the_operator_is_mailed_once(form):
    form()
    mail_messages()
    mail_messages()
    [letter] = mail.outbox
    assert letter.to == [OPERATOR] and letter.reply_to == ["ada@example.com"]
    assert letter.subject == contact_mail.SUBJECT
    assert "    A verdict is wrong." in letter.body
    assert Message.objects.get().mailed_at


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_mails_it(form, monkeypatch):
    """The other one comes while the first hands it over."""
    form()
    sent, others = [], []

    def meanwhile(letter, fail_silently=False):
        sent.append(letter)
        if len(sent) == 1:
            others.append(_elsewhere(contact_mail.mail_waiting))

    monkeypatch.setattr("django.core.mail.EmailMessage.send", meanwhile)
    assert contact_mail.mail_waiting() == 1
    assert others == [0] and len(sent) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_leaves_it_to_others(form, monkeypatch):
    form()

    def dies(letter, fail_silently=False):
        raise SystemExit

    with monkeypatch.context() as down:
        down.setattr("django.core.mail.EmailMessage.send", dies)
        with pytest.raises(SystemExit):
            contact_mail.mail_waiting()
    assert _elsewhere(contact_mail.mail_waiting) == 1
    assert len(mail.outbox) == 1


def _elsewhere(work):
    """In a thread, so by another connection."""

    def done():
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        return other.submit(done).result(30)


def test_a_mail_server_that_fails_is_tried_again(form, monkeypatch):
    form()

    def fails(self, fail_silently=False):
        raise ConnectionRefusedError

    with monkeypatch.context() as down:
        down.setattr("django.core.mail.EmailMessage.send", fails)
        mail_messages()
    assert Message.objects.get().mailed_at is None
    mail_messages()
    assert len(mail.outbox) == 1


def test_without_an_operator_it_is_stored_only_and_listed(form, settings):
    settings.OPERATOR_EMAIL = ""
    form(message="First\nsecond \u202eline")
    mail_messages()
    assert mail.outbox == [] and Message.objects.get().mailed_at is None
    out = StringIO()
    call_command("catalog_messages", stdout=out)
    [line] = out.getvalue().splitlines()
    assert json.loads(line)["email"] == "ada@example.com"
    assert "\u202e" not in line
    call_command("catalog_messages", "--unmailed", stdout=(again := StringIO()))
    assert again.getvalue() == out.getvalue()


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "ada@example.com\nBcc: eve@example.com"},
        {"email": "ada@example.com\r\nBcc: eve@example.com"},
        {"email": "ada@example.com, eve@example.com"},
        {"name": "Ada\nBcc: eve@example.com"},
        {"email": "not an address"},
        {"message": ""},
        {"message": "x" * 5001},
        {"message": "bell \x07"},
    ],
)
def test_bad_fields_are_refused_with_the_reason(form, fields):
    answer = form(**fields)
    assert answer.status_code == 422 and not Message.objects.exists()
    assert answer.context["form"].errors


def test_no_header_holds_what_a_stranger_wrote_but_the_address(form):
    form(name="Subject: x", message="Bcc: eve@example.com\n\nhi")
    mail_messages()
    head, _, body = mail.outbox[0].message().as_string().partition("\n\n")
    assert "eve@example.com" not in head and "Subject: x" not in head.splitlines()
    assert "    Bcc: eve@example.com" in body


def test_a_row_that_could_break_a_header_is_not_sent():
    """The mail library stands behind the form: unplug the form, and it refuses."""
    row = Message.objects.create(email="a@example.com\nBcc: e@example.com", text="x")
    with pytest.raises(ValueError, match="newline"):
        contact_mail.mail(row).message()


def test_the_field_that_nobody_sees_must_stay_empty(form):
    answer = form(website="https://spam.example")
    assert answer.status_code == 422 and not Message.objects.exists()
    page = answer.content.decode()
    # Said where people see it, and empty for whoever sends it again.
    assert "A program filled in this form" in page and "spam.example" not in page


def test_a_program_that_is_too_quick_is_asked_to_wait():
    client = Client()
    opened = contact_form.opened()
    answer = client.post("/contact/", SAID | {"opened": opened})
    assert answer.status_code == 422 and "quick" in answer.content.decode()
    assert not Message.objects.exists()


@pytest.mark.parametrize("opened", ["", "opened:x:y", "opened"])
def test_the_time_is_signed(opened):
    assert "Something was missing" in str(errors(opened))


def test_a_page_of_yesterday_is_sent_anew(monkeypatch):
    signed = contact_form.opened()
    later = timedelta(days=2).total_seconds()
    now = __import__("time").time() + later
    monkeypatch.setattr("django.core.signing.time.time", lambda: now)
    assert "open for a day" in str(errors(signed))


def test_another_forms_signature_does_not_count():
    assert "missing" in str(errors(TimestampSigner(salt="other").sign("opened")))


def errors(opened: str) -> object:
    form = ContactForm(SAID | {"opened": opened})
    assert not form.is_valid()
    return form.errors


def test_links_are_counted(form):
    links = "see https://a.example and www.b.example"
    assert form(message=links).status_code == 302
    assert form(message=links + " [url=c]").status_code == 422


def test_an_address_may_write_a_few_times(form, monkeypatch):
    monkeypatch.setattr(contact_pages, "RATE", rates.Rate("contact", 3600, 2, 100))
    answers = [form().status_code for _ in range(4)]
    assert answers == [302, 302, 429, 429] and Message.objects.count() == 2
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert form(other).status_code == 302


def test_all_together_may_write_so_often(form, monkeypatch):
    monkeypatch.setattr(contact_pages, "RATE", rates.Rate("contact", 3600, 9, 3))
    clients = [Client(REMOTE_ADDR=f"192.0.2.{n}") for n in range(5)]
    answers = [form(client).status_code for client in clients]
    assert answers == [302, 302, 302, 429, 429]


def test_a_network_of_ipv6_is_one_address(form, monkeypatch):
    monkeypatch.setattr(contact_pages, "RATE", rates.Rate("contact", 3600, 1, 100))
    same = [Client(REMOTE_ADDR=f"2001:db8::{n}") for n in (1, 2)]
    assert [form(client).status_code for client in same] == [302, 429]
    assert form(Client(REMOTE_ADDR="2001:db8:0:1::1")).status_code == 302


def test_forwarded_addresses_count_only_behind_a_trusted_proxy(
    form, monkeypatch, settings
):
    monkeypatch.setattr(contact_pages, "RATE", rates.Rate("contact", 3600, 1, 100))
    said = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in range(4)]
    answers = [form(Client(headers=each)).status_code for each in said[:2]]
    assert answers == [302, 429]
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    answers = [form(Client(headers=each)).status_code for each in said[2:]]
    assert answers == [302, 302]


def test_where_nothing_can_be_counted_nothing_is_taken(form, monkeypatch):
    def fails(*args, **kwargs):
        raise RedisError

    monkeypatch.setattr("catalog.rates.cache.add", fails)
    answer = form()
    assert answer.status_code == 503 and not Message.objects.exists()
    assert "A verdict is wrong." in answer.content.decode()


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("http://testserver/attacks/rug-pull/", "/attacks/rug-pull/"),
        ("http://testserver/tools/?q=secret", "/tools/"),
        ("http://testserver/", "/"),
        ("http://testserver/scan/" + "k" * 32 + "/", ""),
        ("http://testserver/settings/", ""),
        ("https://other.example/attacks/", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_the_page_that_is_sent_along(referer, page):
    answer = Client().get("/contact/", headers={"Referer": referer})
    assert answer.context["form"].initial["page"] == page


def test_the_address_of_a_kept_report_is_never_stored():
    assert named_page("/scan/" + "k" * 32 + "/") == ""
    assert named_page("//other.example/tools/") == ""


def test_every_public_page_links_to_it():
    for address in ("/tools/", "/risk/", "/attacks/", "/compare/", "/scan/"):
        assert 'href="/contact/"' in Client().get(address).content.decode()

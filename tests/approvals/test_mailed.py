"""Whoever waits for an answer sees whether anybody can have read of the request."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from approvals.mailed import mailed
from approvals.models import Approval, Notice
from tests.approvals.conftest import signed_in
from tests.approvals.office import Office
from tests.approvals.test_pages import url

pytestmark = pytest.mark.django_db
SECRET = "smtp.internal.example refused"


def notices(row: Approval, office: Office):
    mine = Notice.objects.for_organization(office.acme).filter(approval=row)
    return {who: mine.filter(user=who.user) for who in (office.anna, office.adam)}


def shown(row: Approval, office: Office) -> str:
    page = signed_in(office.anna).get(url(row)).content.decode()
    section = re.search(r'<section[^>]*"mailed-label">.*?</section>', page, re.S)
    return re.sub(r"<[^>]+>|\s+", " ", section[0]) if section else ""


def test_taken_refused_and_on_its_way(office):
    row = office.refund()
    said = shown(row, office)
    assert said.count("on its way") == 2
    of = notices(row, office)
    of[office.anna].update(sent_at=timezone.now(), attempts=1)
    again = timezone.now() + timedelta(minutes=2)
    of[office.adam].update(attempts=3, error=SECRET, due_at=again)
    said = shown(row, office)
    assert "on its way" not in said and "smtp.internal" not in said
    assert "not yet. The mail server did not take it 3 times." in said
    assert f"Next try at {again:%H:%M:%S} UTC" in said
    assert [(one.email, bool(one.at)) for one in mailed(row)] == [
        (office.adam.user.email, False),
        (office.anna.user.email, True),
    ]


def test_a_reminder_that_fails_does_not_undo_a_mail_that_came(office):
    row = office.refund()
    [first] = notices(row, office)[office.anna]
    Notice.objects.for_organization(office.acme).filter(pk=first.pk).update(
        sent_at=timezone.now()
    )
    first.pk, first.kind, first.attempts, first.error = None, "reminder", 2, "x"
    first.save()
    told = {one.email: one for one in mailed(row)}
    assert told[office.anna.user.email].at


def test_whose_mail_is_not_sent_any_more_is_not_named(office):
    row = office.refund()
    notices(row, office)[office.adam].update(dropped_at=timezone.now())
    assert [one.email for one in mailed(row)] == [office.anna.user.email]


def test_once_it_is_decided_nobody_waits_for_mail(office):
    row = office.refund()
    office.vote(row, office.anna)
    assert shown(row, office) == ""

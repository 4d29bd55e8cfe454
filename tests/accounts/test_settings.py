"""Settings > General: who may change what, and that it holds."""

from __future__ import annotations

import pytest

from accounts.keys import generation_key
from accounts.models import Organization, Role
from tests.conftest import member

pytestmark = pytest.mark.django_db
PLACE = "/settings/"
GIVEN = {
    "name": "Acme",
    "zone": "Etc/UTC",
    "pending_most": "10",
    "mails_most": "5",
    "publishers_decide": "on",
    "redacted_keys": "",
}


def change(client, **given):
    return client.post(PLACE, GIVEN | given)


def test_an_admin_changes_all_of_them(acme, valkey, sign_in):
    client = sign_in(member(acme, "adam", Role.ADMIN))
    answer = change(
        client,
        name="Acme Ltd",
        zone="Europe/Paris",
        pending_most="100",
        mails_most="1",
        publishers_decide="",
        api_decisions="on",
        redacted_keys=" iban \r\n\r\nSSN\niban",
    )
    assert answer.status_code == 302
    now = Organization.objects.get()
    assert (now.name, now.zone, now.slug) == ("Acme Ltd", "Europe/Paris", "acme")
    assert (now.pending_most, now.mails_most) == (100, 1)
    assert (now.publishers_decide, now.api_decisions) == (False, True)
    assert now.redacted_keys == ["iban", "SSN"]
    page = client.get(PLACE).content.decode()
    assert "iban\nSSN" in page


def test_saving_what_is_there_changes_nothing(acme, valkey, alice, sign_in):
    answer = change(sign_in(alice))
    assert answer.status_code == 302
    again = Organization.objects.get()
    fields = [field.attname for field in Organization._meta.concrete_fields]
    assert [getattr(again, name) for name in fields] == [
        getattr(acme, name) for name in fields
    ]
    assert valkey.get(generation_key(acme.shard, acme.pk)) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a\u202eb"),
        ("zone", "Mars/Olympus"),
        ("pending_most", "0"),
        ("pending_most", "101"),
        ("mails_most", "0"),
        ("mails_most", "101"),
        ("redacted_keys", "a" * 101),
        ("redacted_keys", "a\u202eb"),
        ("redacted_keys", "\n".join(str(n) for n in range(201))),
    ],
)
def test_what_is_out_of_bounds_is_refused(acme, valkey, alice, sign_in, field, value):
    answer = change(sign_in(alice), **{field: value})
    assert answer.status_code == 422
    assert Organization.objects.get().name == "Acme"
    assert Organization.objects.get().redacted_keys == []


def test_others_read_them(acme, valkey, dora, sign_in):
    client = sign_in(dora)
    page = client.get(PLACE).content.decode()
    assert "Admins and owners can change these." in page
    assert "<textarea" not in page
    # Nor is there a tab that would refuse them.
    assert "/settings/webhooks/" not in page
    assert change(client, name="Mine").status_code == 403
    assert Organization.objects.get().name == "Acme"

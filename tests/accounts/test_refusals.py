"""Pages that say no, or that something failed: in our frame, and with a way on."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from django.views import defaults

HEADINGS = {
    404: "There is nothing here",
    403: "Your role does not allow this",
    400: "The request could not be read",
    500: "Something failed on our side",
}


def text(answer):
    return answer.content.decode()


def test_an_address_that_does_not_exist(client, db):
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert HEADINGS[404] in text(answer) and 'class="button' in text(answer)


def test_a_right_that_is_missing_says_what_one_is(client, dora):
    client.force_login(dora.user)
    answer = client.get("/servers/add/")
    assert answer.status_code == 403
    assert HEADINGS[403] in text(answer) and "You are viewer of" in text(answer)


def test_a_form_of_another_session(dora):
    client = Client(enforce_csrf_checks=True)
    client.force_login(dora.user)
    answer = client.post("/theme/", {"theme": "dark"})
    assert answer.status_code == 403
    assert "The form was not sent" in text(answer)


@pytest.mark.parametrize(
    ("view", "status"), [(defaults.bad_request, 400), (defaults.server_error, 500)]
)
def test_failures_need_neither_session_nor_database(view, status):
    """No fixture of the database here: a query would raise."""
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    answer = view(request, ValueError()) if status == 400 else view(request)
    assert answer.status_code == status
    assert HEADINGS[status] in text(answer)

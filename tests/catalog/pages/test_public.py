"""Public pages through the real middleware: nothing of a person gets into them."""

from __future__ import annotations

import pytest
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import engines
from django.test import Client
from django.urls import path

from catalog.public import Personal, public
from config.urls import urlpatterns as pages

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def drawn(text: str, request: HttpRequest) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(text).render({}, request))


@public
def plain(request):
    return drawn("{{ request.COOKIES.theme }}the same for all", request)


@public
def greets(request):
    return drawn("{{ user.email }}", request)


@public
def greets_in_vain(request):
    """Where a template swallows the exception."""
    return drawn("{% if user.is_staff and user.email %}you{% endif %}", request)


@public
def reads(request):
    return HttpResponse(str(request.session.get("organization")))


@public
def has_a_form(request):
    return drawn("{% csrf_token %}", request)


@public
def hands_out_tokens(request):
    return HttpResponse(get_token(request))


@public
def sets_a_cookie(request):
    answer = HttpResponse("x")
    answer.set_cookie("seen", "1")
    return answer


@public
def varies(request):
    return HttpResponse("x", headers={"Vary": "Accept, Cookie"})


@public
def tells(request):
    return drawn("{% for each in messages %}{{ each }}{% endfor %}", request)


@public
def says(request):
    messages.success(request, "Done")
    return HttpResponse("x")


@public
def is_gone(request):
    raise Http404


PERSONAL = [
    *(greets, greets_in_vain, reads, has_a_form, hands_out_tokens, sets_a_cookie),
    *(varies, tells, says),
]
urlpatterns = [
    *pages,
    path("plain", plain),
    path("gone", is_gone),
    *(path(view.__name__, view) for view in PERSONAL),
]


@pytest.fixture
def known(alice) -> Client:
    """With a session, a CSRF cookie, and a theme."""
    client = Client()
    client.force_login(alice.user)
    client.cookies["csrftoken"] = client.cookies["csrf8000"] = "x" * 32
    client.cookies["theme"] = "dark"
    return client


def test_the_same_bytes_for_everybody(known):
    theirs, ours = Client().get("/plain"), known.get("/plain")
    assert theirs.content == ours.content == b"the same for all"
    assert dict(theirs.headers) == dict(ours.headers)
    assert "Vary" not in ours.headers and not ours.cookies


def test_caches_may_keep_it():
    answer = Client().get("/plain")
    assert answer["Cache-Control"] == (
        "public, max-age=300, s-maxage=3600, stale-while-revalidate=86400"
    )
    again = Client().get("/plain", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == answer["ETag"]
    other = Client().get("/plain", headers={"If-None-Match": '"another"'})
    assert other.content == answer.content


@pytest.mark.parametrize("view", PERSONAL, ids=lambda view: view.__name__)
def test_what_differs_by_person_fails(view, known):
    with pytest.raises(Personal):
        known.get(f"/{view.__name__}")


def test_who_finds_nothing_is_told_in_person(known):
    answer = known.get("/gone")
    assert answer.status_code == 404
    assert "Cache-Control" not in answer.headers
    assert "Cookie" in answer["Vary"]


def test_it_only_shows():
    assert Client().post("/plain").status_code == 405
    assert Client().head("/plain").status_code == 200

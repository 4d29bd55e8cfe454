"""The contact page: the only public one that sets a cookie, the form's token."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import rates
from catalog.contact_form import ContactForm, named_page, opened
from catalog.models import Message
from catalog.rates import Rate

SENT = "sent"
RATE = Rate("contact", seconds=3600, most=5, most_of_all=200)
TOO_MANY = "Too many messages came within the hour. Try again later."
NOT_NOW = "Messages cannot be taken right now. Try again in a few minutes."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        first = ContactForm(initial={"page": came_from(request), "opened": opened()})
        return _shown(request, first, sent=SENT in request.GET)
    form = ContactForm(request.POST)
    if not form.is_valid():
        return _shown(request, form, 422)
    try:
        free = rates.take(RATE, request)
    except rates.Unavailable:
        return _refused(request, form, NOT_NOW, 503)
    if not free:
        return _refused(request, form, TOO_MANY, 429)
    keep(form.cleaned_data)
    return redirect(f"{reverse('catalog:contact')}?{SENT}=1")


def keep(said: dict[str, Any]) -> Message:
    """The beat mails it (contact_mail)."""
    return Message.objects.create(
        name=said["name"],
        email=said["email"],
        text=said["message"],
        page=said["page"],
    )


def came_from(request: HttpRequest) -> str:
    """The page with the link, as far as the browser says it and it is ours."""
    parts = urlsplit(request.META.get("HTTP_REFERER", "")[:1000])
    ours = f"{parts.scheme}://{parts.netloc}" in {
        settings.BASE_URL,
        f"{request.scheme}://{request.get_host()}",
    }
    return named_page(parts.path) if ours else ""


def _refused(
    request: HttpRequest, form: ContactForm, why: str, status: int
) -> HttpResponse:
    form.add_error(None, why)
    return _shown(request, form, status)


def _shown(
    request: HttpRequest, form: ContactForm, status: int = 200, sent: bool = False
) -> HttpResponse:
    if form.is_bound:
        # Whoever corrects something waits anew: a program would not.
        anew = {"opened": opened(), "website": ""}
        form.data = {**form.data.dict(), **anew}  # type: ignore[attr-defined]
    context = {"form": form, "sent": sent}
    return render(request, "catalog/contact.html", context, status=status)

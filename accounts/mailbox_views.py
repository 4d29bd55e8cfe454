"""The mailbox pages: a list, one mail, and its HTML part, which runs nothing."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable

from csp.decorators import csp, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from accounts import mailbox

View = Callable[..., HttpResponse]
# Nothing runs, nothing loads; links open a page of their own.
INERT = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


def secret_required(view: View) -> View:
    """Takes the secret off the address; without it there is no such page."""

    @functools.wraps(view)
    def checked(request: HttpRequest, secret: str, **rest: str) -> HttpResponse:
        right = constant_time_compare(secret, settings.MAILBOX_SECRET)
        if not (settings.MAILBOX_SECRET and right and is_local(request)):
            raise Http404
        answer = view(request, **rest)
        answer["Referrer-Policy"] = "no-referrer"
        answer["Cache-Control"] = "no-store"
        return answer

    return checked


def is_local(request: HttpRequest) -> bool:
    """No mail goes out, the address is this machine's, and so is who asks."""
    if not (settings.LOOPBACK_ONLY and settings.MAIL_STAYS_HERE):
        return False
    return ipaddress.ip_address(request.META["REMOTE_ADDR"]).is_loopback


@require_safe
@secret_required
def mails(request: HttpRequest) -> HttpResponse:
    found = {"mails": mailbox.newest(), "shown": mailbox.SHOWN}
    return render(request, "accounts/mailbox.html", found)


@require_safe
@csp_update({"frame-src": ["'self'"]})
@secret_required
def mail(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "accounts/mail.html", {"mail": found_or_404(name)})


@require_safe
@xframe_options_sameorigin
@csp(INERT)
@secret_required
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    # Links leave the frame: inside it nothing of ours may be shown.
    return HttpResponse('<base target="_blank">' + found_or_404(name).html)


def found_or_404(name: str) -> mailbox.Mail:
    mail = mailbox.read(name)
    if mail is None:
        raise Http404
    return mail

"""A fresh sign-in: the password was given in this session within five minutes.

allauth keeps the record, in the session: a sign-in counts as well as a confirmation
on its page. A link from a mail does not, neither one that verifies an address nor one
that sets a password: whoever reads somebody's mail has not shown to be them.
"""

from __future__ import annotations

import time

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

# What allauth calls the ways to show who one is.
PROOFS = frozenset({"password"})


def is_fresh(request: HttpRequest) -> bool:
    if isinstance(request.user, AnonymousUser):
        return False
    given = [
        record["at"]
        for record in get_authentication_records(request, request.user)
        if record.get("method") in PROOFS
    ]
    ago = time.time() - max(given, default=0.0)
    # A time to come is a clock that was set back, or no record of ours.
    return 0 <= ago < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def to_reauthenticate(request: HttpRequest, next: str) -> HttpResponseBase:
    """To allauth's page that asks for the password, and from there to `next`."""
    page = redirect_to_login(next, resolve_url("account_reauthenticate"))
    if HtmxDetails(request):
        # A redirect would put that page into a corner of the page shown.
        return HttpResponseClientRedirect(page["Location"])
    return page

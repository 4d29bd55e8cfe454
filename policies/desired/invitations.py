"""The mail by which a member without an account sets a password.

It is allauth's own password reset, so that its page, its expiry and its wording are
the ones people meet elsewhere.
"""

from __future__ import annotations

import io
from urllib.parse import urlsplit

from allauth.account.forms import default_token_generator
from allauth.account.internal.flows.password_reset import request_password_reset
from allauth.core.context import request_context
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest

from accounts.models import User


class MailFailed(Exception):
    """The account is there, but the mail could not be handed over."""


def invite(user: User) -> None:
    """Raises MailFailed."""
    request = _request()
    try:
        with request_context(request):
            request_password_reset(request, user.email, [user], default_token_generator)
    except ImmediateHttpResponse as error:
        # How the adapter tells a page that the mail server failed.
        raise MailFailed(repr(error.__cause__)) from error


def _request() -> WSGIRequest:
    """A request of nobody at BASE_URL: allauth makes the link from it."""
    base = urlsplit(settings.BASE_URL)
    return WSGIRequest(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "HTTP_HOST": base.netloc,
            "SERVER_NAME": base.hostname or "",
            "SERVER_PORT": str(base.port or {"https": 443}.get(base.scheme, 80)),
            "wsgi.url_scheme": base.scheme,
            "wsgi.input": io.BytesIO(),
        }
    )

"""Public pages: the same bytes for everybody, which any cache may keep.

    @public
    def list_tools(request: HttpRequest) -> HttpResponse:

A public view answers GET and HEAD. It cannot see who asks: session, person and cookies
are out of its reach, and one that reaches for them, sets a cookie or draws a CSRF token
fails (`Personal`) before a cache could hand one person's page to another. What is
not found, and any other error, is answered as everywhere, for one person and unmarked.

Times on such a page are dates: "5 minutes ago" is wrong as soon as it is kept.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any, Concatenate, NoReturn, ParamSpec

from django.conf import settings
from django.contrib.messages.storage.base import BaseStorage
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, has_vary_header
from django.views.decorators.http import require_safe

CACHED = "public, max-age=300, s-maxage=3600, stale-while-revalidate=86400"

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
Answering = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class Personal(RuntimeError):
    """A public page reached for what differs from person to person."""


class NoSession(SessionBase):
    """Stands where the session was. Remembers, as templates swallow exceptions."""

    touched = False

    def is_empty(self) -> bool:
        return False  # An empty one would have its cookie deleted.

    @property
    def _session(self) -> NoReturn:
        self.touched = True
        raise Personal("A public page looked at the session, or at who is signed in.")


class NoMessages(BaseStorage):
    """Stands where what one person is told was."""

    touched = False

    def _get(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.touched = True
        raise Personal("A public page reads or leaves messages for one person.")

    add = _get


def public(view: View[P]) -> Answering[P]:
    @functools.wraps(view)
    def shown(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        kept = {name: getattr(request, name) for name in PERSONAL}
        for name, nobody in PERSONAL.items():
            setattr(request, name, nobody(request))
        try:
            response = view(request, *args, **kwargs)
            refuse_personal(request, response)
        except BaseException:
            # What stands for a failed page is drawn for the person who asked.
            for name, theirs in kept.items():
                setattr(request, name, theirs)
            raise
        return marked(request, response)

    return require_safe(shown)


PERSONAL: dict[str, Callable[[HttpRequest], Any]] = {
    "session": lambda request: NoSession(),
    "COOKIES": lambda request: {},
    "_messages": NoMessages,
}


def refuse_personal(request: HttpRequest, response: HttpResponse) -> None:
    if any(getattr(getattr(request, name), "touched", False) for name in PERSONAL):
        raise Personal("A public page looked at who asks; a template hid the error.")
    if response.cookies or request.META.get("CSRF_COOKIE_NEEDS_UPDATE"):
        raise Personal("A public page sets a cookie or holds a CSRF token.")
    if has_vary_header(response, "Cookie"):
        raise Personal("A public page says that it differs by cookie.")


def marked(request: HttpRequest, response: HttpResponse) -> HttpResponseBase:
    """With the headers that caches go by; 304 for whoever has these very bytes."""
    digest = hashlib.sha256(response.content).hexdigest()[:32]
    etag = f'"{digest}"'
    response["Cache-Control"] = CACHED
    response["ETag"] = etag
    if response.status_code != 200:
        return response
    answer: Any = get_conditional_response(request, etag, response=response)
    return answer  # type: ignore[no-any-return]


def absolute(path: str) -> str:
    """The one address of a page, whatever host it was asked by."""
    return f"{settings.BASE_URL}{path}"

"""One address, two forms: a page for people, Markdown for whoever prefers it.

    path("tools/", twins.page(listing.list_tools, markdown_pages.list_tools), ...)

A cache is told that the form depends on `Accept`, and both forms name the other
(`Link`, RFC 8288). Browsers accept anything, so HTML is what is answered in doubt.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from catalog.public import absolute

FORMS = ["text/html", "text/markdown"]
View = Callable[..., HttpResponseBase]


def page(html: View, markdown: View) -> View:
    """The twin's own address has the page's name with `_md`."""

    @functools.wraps(html)
    def shown(request: HttpRequest, **place: Any) -> HttpResponseBase:
        response = _answer(html, markdown, request, place)
        patch_vary_headers(response, ["Accept"])
        if response.status_code in {200, 304}:
            response["Link"] = ", ".join(links(request, place))
        return response

    return shown


def _answer(
    html: View, markdown: View, request: HttpRequest, place: dict[str, Any]
) -> HttpResponseBase:
    """What is not there, or is gone, the page says in its own way."""
    if prefers_markdown(request):
        with contextlib.suppress(Http404):
            return markdown(request, **place)
    return html(request, **place)


def prefers_markdown(request: HttpRequest) -> bool:
    return request.get_preferred_type(FORMS) == "text/markdown"


def links(request: HttpRequest, place: dict[str, Any]) -> list[str]:
    match = request.resolver_match
    name = match.view_name if match else ""
    twin = absolute(reverse(f"{name}_md", kwargs=place))
    if query := request.GET.urlencode():
        twin = f"{twin}?{query}"
    page = absolute(request.path)
    return [
        f'<{page}>; rel="canonical"',
        f'<{twin}>; rel="alternate"; type="text/markdown"',
    ]

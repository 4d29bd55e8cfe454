"""Scan your config: the form, the report of what was posted, and a kept report.

The form is public and the same for everybody. What is posted to it changes nothing and
belongs to nobody, so there is no cookie and hence no token of the form: a foreign site
could only have itself answered. Posts of other sites' pages are refused all the same,
by `Origin`, so that nobody's browser is made to keep or delete a report.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from catalog import rates
from catalog.config_scan import grading, keeping, report, tables
from catalog.config_scan.keeping import DAYS
from catalog.config_scan.reading import Unreadable, read
from catalog.config_scan.report import Report
from catalog.public import public
from catalog.rates import Rate

KEEPING = Rate("keep", seconds=3600, most=20, most_of_all=500)
TOO_MANY = "Too many reports were kept within the hour. Try again later."
NOT_NOW = "Reports cannot be kept right now. Try again in a few minutes."
# Percent-encoding makes three bytes of one.
MOST_POSTED = 4 * tables.MOST_BYTES
# Other sites are not told the key in the address; this one still learns the Origin.
ORIGIN_ONLY = "strict-origin"


@csrf_exempt
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def scan(request: HttpRequest) -> HttpResponseBase:
    return _posted(request) if request.method == "POST" else _form(request)


@public
def _form(request: HttpRequest) -> HttpResponse:
    return render(request, "catalog/scan.html", _of_the_form())


@never_cache
def _posted(request: HttpRequest) -> HttpResponse:
    refuse_foreign(request)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MOST_POSTED:
        return _again(request, Unreadable("This is larger than 64 KiB."), 413)
    try:
        servers = read(request.POST.get("config", ""))
    except Unreadable as error:
        return _again(request, error, 422)
    found = report.of(servers)
    if "keep" in request.POST:
        return _kept(request, found)
    return _shown(request, found)


def _kept(request: HttpRequest, found: Report) -> HttpResponse:
    try:
        free = rates.take(KEEPING, request)
    except rates.Unavailable:
        return _shown(request, found, 503, NOT_NOW)
    if not free:
        return _shown(request, found, 429, TOO_MANY)
    key = keeping.keep(found.servers)
    return redirect(reverse("catalog:kept", args=[key]))


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def kept(request: HttpRequest, kept_key: str) -> HttpResponse:
    """Whoever has the key may read it, and delete it."""
    row = keeping.find(kept_key)
    if row is None:
        raise Http404("No report is kept here, or not any more.")
    if request.method == "POST":
        refuse_foreign(request)
        keeping.forget(row)
        return redirect(f"{reverse('catalog:scan')}#deleted")
    found = report.of(keeping.servers_of(row))
    answer = _shown(request, found, until=row.expires_at)
    answer["Referrer-Policy"] = ORIGIN_ONLY
    return answer


def refuse_foreign(request: HttpRequest) -> None:
    """Browsers say where a post comes from; what says nothing is no browser's."""
    said = request.META.get("HTTP_ORIGIN")
    ours = {settings.BASE_URL, f"{request.scheme}://{request.get_host()}"}
    if said is not None and said not in ours:
        raise PermissionDenied("This form is posted from its own page only.")


def _again(request: HttpRequest, error: Unreadable, status: int) -> HttpResponse:
    """Without the text that was sent: it may hold secrets."""
    context = {**_of_the_form(), "error": str(error)}
    return render(request, "catalog/scan.html", context, status=status)


def _of_the_form() -> dict[str, Any]:
    return {"tables": tables.for_browser(), "days": DAYS, **formula()}


def formula() -> dict[str, Any]:
    """What grades are made of, as the pages publish it."""
    bounds = [band.most for band in grading.BANDS]
    below = [None, *bounds[:-1]]
    rows = [
        {"letter": band.letter, "words": band.words, "range": _range(low, band.most)}
        for low, band in zip(below, grading.BANDS, strict=True)
    ]
    return {"points": grading.POINTS, "bands": rows}


def _range(low: int | None, most: int | None) -> str:
    least = 0 if low is None else low + 1
    if most is None:
        return f"{least} or more"
    return str(most) if least == most else f"{least} to {most}"


def _shown(
    request: HttpRequest, found: Report, status: int = 200, why: str = "", **more: Any
) -> HttpResponse:
    context = {
        "report": found,
        "again": json.dumps(
            {"mcpServers": _named(found)}, ensure_ascii=False, separators=(",", ":")
        ),
        "why": why,
        "days": DAYS,
        **formula(),
        **more,
    }
    return render(request, "catalog/scan_report.html", context, status=status)


def _named(found: Report) -> dict[str, Any]:
    """As a configuration, for the button that keeps it: names made different."""
    named: dict[str, Any] = {}
    for number, server in enumerate(found.servers, 1):
        name = server.name if server.name not in named else f"{server.name} {number}"
        named[name] = server.as_json() | {"name": name}
    return named

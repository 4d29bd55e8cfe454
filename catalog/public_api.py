"""The door of the catalogue's read API: anybody may read, from any page, and only read.

    @reads(asked.Q, asked.LIMIT)
    def tools(request: HttpRequest, given: Given) -> Any:

A view returns what is to be JSON. It looks at no session and no cookie, so an answer is
the same for everybody (catalog.public), and any site's script may read it: CORS `*`,
which is for requests without credentials. Whoever asks too often is told so by address.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from accounts import problems
from accounts.problems import MEDIA_TYPE, Problem
from catalog import rates
from catalog.plain import as_json
from catalog.public import public
from catalog.public_api_asked import Parameter, read
from catalog.rates import Rate

RATE = Rate("api", seconds=60, most=240, most_of_all=60_000)
METHODS = ("GET", "HEAD", "OPTIONS")
SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link, Retry-After",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}

Reading = Callable[..., Any]


def reads(*parameters: Parameter) -> Callable[[Reading], Callable[..., Any]]:
    """`parameters` are those that the address takes; any other is refused."""

    def decorate(view: Reading) -> Callable[..., HttpResponseBase]:
        @csrf_exempt
        @functools.wraps(view)
        def answered(request: HttpRequest, **place: Any) -> HttpResponseBase:
            try:
                answer = _answer(view, parameters, request, place)
            except Exception as error:  # noqa: BLE001 - told in one place, as a problem
                answer = _problem(error, request)
            for name, value in SHARED.items():
                answer[name] = value
            return answer

        answered.parameters = parameters  # type: ignore[attr-defined]
        return answered

    return decorate


def _answer(
    view: Reading,
    parameters: tuple[Parameter, ...],
    request: HttpRequest,
    place: Mapping[str, Any],
) -> HttpResponseBase:
    if request.method not in METHODS:
        allowed = {"Allow": ", ".join(METHODS)}
        raise Problem("no-such-method", "This is only read.", headers=allowed)
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers=PREFLIGHT)
    count(request)
    given = read(request.GET, parameters)

    @public
    def written(request: HttpRequest) -> HttpResponse:
        found = as_json(view(request, given, **place))
        return HttpResponse(f"{found}\n", content_type="application/json")

    return written(request)


def _problem(error: Exception, request: HttpRequest) -> HttpResponse:
    """As accounts.problems tells it, without a renderer. No cache may keep it."""
    told = problems.answer(error, {"request": request})
    answer = HttpResponse(as_json(told.data), status=told.status_code)
    for name, value in told.headers.items():
        answer[name] = value
    answer["Content-Type"] = MEDIA_TYPE
    answer["Cache-Control"] = "no-store"
    return answer


def count(request: HttpRequest) -> None:
    """Raises Problem when the address has asked too often, or nobody can count."""
    try:
        if rates.take(RATE, request):
            return
    except rates.Unavailable as error:
        soon = {"Retry-After": str(problems.BACK_SOON_SECONDS)}
        raise Problem("unavailable", "Requests cannot be counted.", headers=soon) from (
            error
        )
    wait = {"Retry-After": str(RATE.seconds - int(time.time()) % RATE.seconds)}
    text = f"An address may ask {RATE.most} times a minute."
    raise Problem("too-many", text, headers=wait)

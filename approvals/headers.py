"""Headers of pages that hold what an agent wants to send.

Not `Referrer-Policy: no-referrer`: a browser sends the forms of such a page with
`Origin: null`, which the check of forms refuses, and must. `same-origin` tells other
sites as little.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def private(view: View[P]) -> View[P]:
    """No cache keeps it, no search engine lists it, no other site learns of it."""

    @functools.wraps(view)
    def headed(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        answer = view(request, *args, **kwargs)
        add_never_cache_headers(answer)
        answer["Referrer-Policy"] = "same-origin"
        answer["X-Robots-Tag"] = "noindex, nofollow"
        return answer

    return headed

"""The OpenAPI 3.1 document of the catalogue's API, from its addresses and views.

Paths and parameters are read off `public_api_urls` and `@reads`, so none can be left
out; what an answer holds stands below. The tests hold every answer to it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import URLPattern, reverse

from accounts.problems import KINDS, MEDIA_TYPE
from catalog.public_api import RATE, reads
from catalog.public_api_answers import ANSWERS, SCHEMAS
from catalog.public_api_asked import Given, Parameter

PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
REFUSALS = (429, 500, 503)
DESCRIPTION = (
    "What MCP servers' tools can do, how bad it can get, and why. Anybody may read,"
    f" {RATE.most} times a minute and address. Answers have an ETag."
)


@reads()
def openapi(request: HttpRequest, given: Given) -> dict[str, Any]:
    """This document."""
    return document()


@functools.cache
def document() -> dict[str, Any]:
    """Made once a process: it depends on nothing but the code and the settings."""
    root = reverse("api:catalog:openapi").removesuffix("v1/openapi.json")
    return {
        "openapi": "3.1.0",
        "info": {"title": "PolicyLayer catalogue", "version": "1"}
        | {"description": DESCRIPTION},
        "servers": [{"url": settings.BASE_URL}],
        "paths": {
            root + PLACE.sub(r"{\1}", str(pattern.pattern)): {
                "get": _operation(pattern)
            }
            for pattern in _patterns()
        },
        "components": {"schemas": SCHEMAS},
    }


def _patterns() -> Iterator[URLPattern]:
    # It names the views, and they this module: looked up when it is first asked for.
    yield from import_module("catalog.public_api_urls").urlpatterns


def _operation(pattern: URLPattern) -> dict[str, Any]:
    view: Any = pattern.callback
    places = PLACE.findall(str(pattern.pattern))
    parameters = [*map(_place, places), *map(_parameter, view.parameters)]
    return {
        "operationId": str(pattern.name),
        "summary": (view.__doc__ or "").strip(),
        "parameters": parameters,
        "responses": {
            "200": _answer(str(pattern.name)),
            "304": {"description": "Unchanged since the ETag of If-None-Match."},
            **{str(status): _refusal(status) for status in _statuses(places, view)},
        },
    }


def _place(name: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.says,
        "schema": dict(parameter.schema),
    }


def _answer(name: str) -> dict[str, Any]:
    headers = {
        "ETag": {"schema": {"type": "string"}},
        "Cache-Control": {"schema": {"type": "string"}},
    }
    return {
        "description": "Found.",
        "headers": headers,
        "content": {"application/json": {"schema": ANSWERS[name]}},
    }


def _statuses(places: list[str], view: Any) -> list[int]:
    # Any parameter that is not known is refused, so each address can answer 400.
    return sorted({400, *REFUSALS, *((404,) if places else ())})


def _refusal(status: int) -> dict[str, Any]:
    titles = [kind.title for kind in KINDS.values() if kind.status == status]
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "; ".join(titles),
        "content": {MEDIA_TYPE: {"schema": reference}},
    }

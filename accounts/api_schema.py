"""The API's OpenAPI document: what drf-spectacular cannot see by itself.

Every operation says which problems it answers, and how one shows who one is.
"""

from __future__ import annotations

import functools
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

from accounts.problems import KINDS, MEDIA_TYPE

ALWAYS = (401, 403, 406, 429, 500, 503)
WITH_ID, WITH_BODY, WITH_QUERY = (404,), (400, 409, 413, 415), (400,)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api_access.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A member's token, `plm_...`, minted under Settings.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api_access.ReadingSession"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "Whoever is signed in may read in a browser.",
        }


def add_problems(result: Any, **about: Any) -> Any:
    """drf-spectacular's hook over the finished document."""
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["schema"]["type"] == "string":
                    parameter["schema"]["minLength"] = 1
            for status in statuses(path, operation):
                operation["responses"][str(status)] = _response(status)
    components = result["components"].setdefault("schemas", {})
    components["Problem"] = _problem()
    # What no serializer can say of itself.
    components["Decision"]["additionalProperties"] = False
    components["Decision"]["properties"]["reason"]["pattern"] = r"^[^\u0000]*$"
    return result


def statuses(path: str, operation: dict[str, Any]) -> list[int]:
    found = {*ALWAYS}
    found |= {*(WITH_ID if "{" in path else ())}
    found |= {*(WITH_BODY if "requestBody" in operation else ())}
    query = any(each["in"] == "query" for each in operation.get("parameters", []))
    found |= {*(WITH_QUERY if query else ())}
    return sorted(found)


def _response(status: int) -> dict[str, Any]:
    titles = [kind.title for kind in KINDS.values() if kind.status == status]
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "; ".join(titles),
        "content": {MEDIA_TYPE: {"schema": reference}},
    }


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    mistake = {
        "type": "object",
        "properties": {"pointer": text, "parameter": text, "detail": text},
        "required": ["detail"],
    }
    return {
        "type": "object",
        "description": "RFC 9457; `type` leads to what to do about it.",
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "errors": {"type": "array", "items": mistake},
        },
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": True,
    }


@functools.cache
def document() -> bytes:
    """Made once a process: it depends on nothing but the code and the settings."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return orjson.dumps(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(document(), content_type="application/json")

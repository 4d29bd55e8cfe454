"""What the REST API says when it does not do what was asked: RFC 9457, in one place.

    {"type": URL, "title": ..., "status": 400, "detail": ..., "errors": [...]}

`type` leads to the list of problems, which the API shows as a page. An entry of
`errors` has the `detail` of one mistake and its place: a JSON `pointer` into the body,
or the name of a query `parameter`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import redis
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
BACK_SOON_SECONDS = 5


class Kind(NamedTuple):
    """`fix` is what to do about it; `detail` of an answer says what happened."""

    status: int
    title: str
    fix: str


KINDS = {
    "malformed": Kind(400, "The body is no JSON", "Send one JSON object in UTF-8."),
    "invalid": Kind(400, "A value is wrong", "“errors” names each, and its place."),
    "no-token": Kind(
        401,
        "No token was sent",
        "Send “Authorization: Bearer plm_…”; mint a token under Settings.",
    ),
    "bad-token": Kind(
        401,
        "The token does not hold",
        "It is misspelt, expired or revoked, or its member has left. Mint another.",
    ),
    "forbidden": Kind(
        403, "The member may not do this", "Ask an admin for a wider role."
    ),
    "no-organization": Kind(
        403, "You belong to no organization", "Make one, or have somebody invite you."
    ),
    "missing-scope": Kind(
        403, "The token lacks the scope", "Mint one that has the scope named."
    ),
    "decisions-off": Kind(
        403,
        "The organization takes no decisions over the API",
        "An admin can allow them under Settings. Else decide on the request's page.",
    ),
    "page-only": Kind(
        403,
        "This request is decided on its page only",
        "It is of a critical tool, or of one's own grant. Open its “url”.",
    ),
    "not-approver": Kind(
        403, "The member has no word on this request", "Others decide it."
    ),
    "not-found": Kind(
        404,
        "There is no such thing here",
        "Look at the address. What belongs to other organizations does not exist.",
    ),
    "no-such-method": Kind(
        405,
        "The address does not take this method",
        "The header Allow names those it takes.",
    ),
    "not-acceptable": Kind(406, "The answer would be JSON", "Accept application/json."),
    "decided": Kind(
        409,
        "The request was decided otherwise, or is over",
        "“state” and “votes” say how it stands.",
    ),
    "too-large": Kind(413, "The body is too large", "Send at most 64 KiB."),
    "not-json": Kind(
        415, "The body is of another type", "Send “Content-Type: application/json”."
    ),
    "too-many": Kind(
        429, "Too many requests", "Wait as many seconds as Retry-After says."
    ),
    "failed": Kind(
        500, "We failed", "It is on record. Ask again later, or tell the operator."
    ),
    "unavailable": Kind(
        503, "A part that this needs does not answer", "Ask again in some seconds."
    ),
}


class Problem(exceptions.APIException):
    """`more` are members of the answer besides those that every problem has."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        self.status_code = KINDS[kind].status
        super().__init__(detail)
        self.kind, self.said = kind, detail
        self.headers, self.more = headers or {}, more


OF_REST = {
    exceptions.ParseError: "malformed",
    exceptions.NotAuthenticated: "no-token",
    exceptions.AuthenticationFailed: "bad-token",
    exceptions.PermissionDenied: "forbidden",
    PermissionDenied: "forbidden",
    exceptions.NotFound: "not-found",
    Http404: "not-found",
    exceptions.MethodNotAllowed: "no-such-method",
    exceptions.NotAcceptable: "not-acceptable",
    exceptions.UnsupportedMediaType: "not-json",
    exceptions.Throttled: "too-many",
    redis.RedisError: "unavailable",
    OperationalError: "unavailable",
}


def body(kind: str, detail: str = "", **more: object) -> dict[str, Any]:
    about = KINDS[kind]
    return {
        "type": f"{settings.BASE_URL}{reverse('api:problems')}#{kind}",
        "title": about.title,
        "status": about.status,
        "detail": detail or f"{about.title}. {about.fix}",
        **more,
    }


def answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """Django REST framework's exception handler; nothing is let through."""
    problem = _of(error, context)
    headers = dict(problem.headers)
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    told = body(problem.kind, problem.said, **problem.more)
    return Response(told, told["status"], headers=headers, content_type=MEDIA_TYPE)


def _of(error: Exception, context: Mapping[str, Any]) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.ValidationError):
        read = context["request"].method in {"GET", "HEAD"}
        return invalid(error.detail, "parameter" if read else "pointer")
    kind = next((name for of, name in OF_REST.items() if isinstance(error, of)), None)
    if kind is None or KINDS[kind].status >= 500:
        log.error("The API failed at %s", context["request"].path, exc_info=error)
    headers = {}
    if kind == "unavailable":
        headers["Retry-After"] = str(BACK_SOON_SECONDS)
    elif wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(wait)
    said = error.detail if isinstance(error, exceptions.ParseError) else ""
    return Problem(kind or "failed", str(said), headers=headers)


def invalid(detail: Any, place: str) -> Problem:
    """Of a serializer's or filter's errors, however deep."""
    errors = [
        {place: at if place == "pointer" else at.removeprefix("/"), "detail": text}
        for at, text in _flat(detail, "")
    ]
    return Problem(
        "invalid", " ".join(each["detail"] for each in errors), errors=errors
    )


def _flat(detail: Any, at: str) -> Iterator[tuple[str, str]]:
    """JSON Pointers (RFC 6901) with what is wrong there."""
    if isinstance(detail, Mapping):
        for name, each in detail.items():
            key = str(name).replace("~", "~0").replace("/", "~1")
            yield from _flat(each, at if name == "non_field_errors" else f"{at}/{key}")
    elif isinstance(detail, list | tuple):
        for each in detail:
            yield from _flat(each, at)
    else:
        yield at, str(detail)


@csrf_exempt
def unknown(request: HttpRequest, path: str = "") -> JsonResponse:
    """Any address below /api/ that is none."""
    told = body("not-found")
    return JsonResponse(told, status=404, content_type=MEDIA_TYPE)

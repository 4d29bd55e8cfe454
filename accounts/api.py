"""What every address of the REST API is made of: the view, and pages of a list.

    class Approvals(MemberView):
        scope = api_tokens.READ

Who gets in is in api_access.py, what is said of errors in problems.py.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role
from accounts.problems import Problem

PAGE, LARGEST_PAGE = 50, 200


class MemberView(GenericAPIView[Any]):
    """`scope` is what a token must have; `minimum` the narrowest role."""

    scope = ""
    minimum = Role.VIEWER
    http_method_names = ["get", "head", "post"]
    format_kwarg = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        view.minimum_role = cls.minimum  # type: ignore[attr-defined]
        return view

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Which methods there are is no secret; who is refused counts as well."""
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        negotiated = self.perform_content_negotiation(request)
        request.accepted_renderer, request.accepted_media_type = negotiated
        self.perform_authentication(request)
        self.check_throttles(request)
        self.check_permissions(request)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        return answer


class Keyset(BasePagination):
    """Newest first, by (`created_at`, `id`): never an offset, never a count.

    `cursor` is where the page before ended; whoever reads on misses nothing and gets
    nothing twice, whatever is added meanwhile.
    """

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any]:
        self._request = request
        size = _size(request.query_params.get("limit"))
        if cursor := request.query_params.get("cursor"):
            at, pk = _place(cursor)
            queryset = queryset.filter(
                Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk)
            )
        rows = list(queryset.order_by("-created_at", "-pk")[: size + 1])
        self._last = rows[size - 1] if len(rows) > size else None
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "next": self._next()})

    def _next(self) -> str | None:
        if self._last is None:
            return None
        query = self._request.query_params.copy()
        query["cursor"] = _cursor(self._last)
        return self._request.build_absolute_uri(f"?{query.urlencode()}")

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {
            "type": ["string", "null"],
            "format": "uri",
            "description": "The next page; null at the end.",
        }
        return {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": schema,
                "next": following,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}
        return [
            {
                "name": "cursor",
                "in": "query",
                "description": "Where the page before ended; `next` has it.",
                "schema": {"type": "string"},
            },
            {
                "name": "limit",
                "in": "query",
                "description": "How many a page has at most.",
                "schema": {**limit, "default": PAGE},
            },
        ]


def _size(given: str | None) -> int:
    if given is None:
        return PAGE
    number = int(given[:4]) if given.isascii() and given.isdigit() else 0
    if not 0 < number <= LARGEST_PAGE:
        raise _wrong("limit", f"limit is a number from 1 to {LARGEST_PAGE}.")
    return number


def _cursor(row: Any) -> str:
    place = f"{row.created_at.isoformat()} {row.pk.hex}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, UUID]:
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        at, _, pk = base64.urlsafe_b64decode(padded).decode().partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("without a zone")
        return moment, UUID(pk)
    except ValueError:
        raise _wrong("cursor", "This cursor is none of ours.") from None


def _wrong(parameter: str, text: str) -> Problem:
    return Problem("invalid", text, errors=[{"parameter": parameter, "detail": text}])

"""The REST API's door: who asks, what they may, how often, and what they may send.

A member's token says who asks; in a browser the session does, for reading alone, so
that no other site can make anybody change anything.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple, cast

import jiter
from django.core.cache import cache
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotAuthenticated, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import access, api_tokens
from accounts.access import MemberRequest
from accounts.models import ApiToken, Membership, User
from accounts.problems import Problem

MOST_A_MINUTE = 300
MOST_BYTES = 64 * 1024
CHALLENGE = 'Bearer realm="PolicyLayer"'


class Pass(NamedTuple):
    """Who asks, for which organization; `token` is None where a session says so."""

    membership: Membership
    scopes: frozenset[str]
    token: ApiToken | None


def asker(request: Request) -> Pass:
    """Of an authenticated request."""
    if not isinstance(request.auth, Pass):
        raise NotAuthenticated
    return request.auth


class BearerToken(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, Pass] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        found = api_tokens.find(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            refused = {"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'}
            raise Problem("bad-token", "This token does not hold.", headers=refused)
        member = found.membership
        return member.user, Pass(member, frozenset(found.scopes), found)

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class ReadingSession(BaseAuthentication):
    """Of who is signed in, in the organization chosen on the pages."""

    def authenticate(self, request: Request) -> tuple[User, Pass] | None:
        member = cast(MemberRequest, request._request)
        if request.method not in SAFE_METHODS or not member.user.is_authenticated:
            return None
        if not access.identify(member):
            raise Problem("no-organization", "You belong to no organization.")
        scopes = frozenset({api_tokens.READ})
        return member.user, Pass(member.membership, scopes, None)


class MayAsk(BasePermission):
    """The scope of the token, and the role of its member at this moment."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, Pass):
            return False
        given, scope = request.auth, view.scope
        if scope and scope not in given.scopes:
            wanted = f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'
            raise Problem(
                "missing-scope",
                f"This needs the scope {scope}.",
                headers={"WWW-Authenticate": wanted},
                scope=scope,
            )
        return given.membership.at_least(view.minimum)


class PerMinute(BaseThrottle):
    """So many requests a minute and token, counted for all processes in Valkey."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, Pass):
            return True
        token, now = request.auth.token, time.time()
        whose = f"token:{token.pk}" if token else f"user:{request.user.pk}"
        minute, self._passed = divmod(now, 60)
        key = f"api:{whose}:{minute:.0f}"
        cache.add(key, 0, timeout=120)
        return int(cache.incr(key)) <= MOST_A_MINUTE

    def wait(self) -> int:
        return 60 - int(self._passed)


class StrictJson(BaseParser):
    """One JSON value in UTF-8, without duplicate keys, of bounded size."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> Any:
        text = stream.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise Problem("too-large", f"The body is larger than {MOST_BYTES} bytes.")
        try:
            return jiter.from_json(text, allow_inf_nan=False, catch_duplicate_keys=True)
        except ValueError as error:
            raise ParseError(f"The body is no JSON: {error}") from None

"""Access: the first statement of every view turns a request into a checked member.

    @membership_required(Role.ADMIN)
    def remove(request: MemberRequest, server_id: UUID) -> HttpResponse:
        server = access.get(request, Server, pk=server_id)

Nobody signed in: to the sign-in page. Signed in, but of no organization: to the page
that makes one. A member without the right: 403. Somebody else's object: 404, as if it
did not exist.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from accounts.models import Membership, Organization, Role, User
from accounts.tenancy import TenantQuerySet

SESSION_KEY = "organization"

P = ParamSpec("P")
Row = TypeVar("Row", bound=Model)


class MemberRequest(HttpRequest):
    """A request of a signed-in member, acting for one organization."""

    user: User
    membership: Membership
    memberships: list[Membership]
    organization: Organization


View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
MemberView = Callable[Concatenate[MemberRequest, P], HttpResponseBase]


def membership_required(minimum: Role) -> Callable[[MemberView[P]], View[P]]:
    """Lets members with `minimum` or a wider role in, and says who asks."""

    def decorate(view: MemberView[P]) -> View[P]:
        @functools.wraps(view)
        def checked(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_sign_in(request)
            member = cast(MemberRequest, request)
            if not identify(member):
                return redirect("accounts:create_organization")
            if not member.membership.at_least(minimum):
                raise PermissionDenied
            return view(member, *args, **kwargs)

        checked.minimum_role = minimum  # type: ignore[attr-defined]
        return checked

    return decorate


def to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """And back: to the page, as what was posted cannot be opened by its address."""
    htmx = HtmxDetails(request)
    if htmx:
        page = redirect_to_login(htmx.current_url_abs_path or "/")
        # A redirect would put the sign-in page into a corner of the page shown.
        return HttpResponseClientRedirect(page["Location"])
    shown = request.method in {"GET", "HEAD"}
    return redirect_to_login(request.get_full_path() if shown else "/")


def identify(request: MemberRequest) -> bool:
    """Sets who asks, and for which organization; False: for none."""
    request.memberships = memberships_of(request.user)
    if not request.memberships:
        return False
    chosen = request.session.get(SESSION_KEY)
    request.membership = next(
        (each for each in request.memberships if str(each.organization_id) == chosen),
        request.memberships[0],
    )
    request.organization = request.membership.organization
    return True


def memberships_of(user: User) -> list[Membership]:
    """All of one person's memberships, oldest first."""
    rows = user.memberships.across_organizations()  # whose `user` is this one
    return list(rows.select_related("organization").order_by("created_at", "pk"))


def get(
    request: MemberRequest, source: type[Row] | TenantQuerySet[Row], **lookup: Any
) -> Row:
    """One object of the request's organization; anything else is a 404."""
    rows = source if isinstance(source, TenantQuerySet) else _rows(source)
    row = rows.for_organization(request.organization).filter(**lookup).first()
    if row is None:
        raise Http404
    return row


def _rows(model: type[Row]) -> TenantQuerySet[Row]:
    rows = model._default_manager.all()
    if not isinstance(rows, TenantQuerySet):
        raise TypeError(f"{model.__name__} belongs to no organization")
    return rows

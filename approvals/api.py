"""Approvals over the REST API: read by members, decided by those who have a word.

A decision over it is never about a critical tool nor a call of one's own grant, and
only while the organization lets it be. The rights are deciding.vote's, at that moment.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch
from django.http import Http404
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import api_tokens
from accounts.api import Keyset, MemberView
from accounts.api_access import BearerToken, Pass, asker
from accounts.models import Role
from accounts.problems import Problem
from accounts.tenancy import TenantQuerySet
from approvals import deciding
from approvals.api_shapes import (
    ApprovalSerializer,
    ApprovalSummarySerializer,
    DecisionSerializer,
    votes_of,
)
from approvals.models import Approval, State, Via, Vote
from approvals.refusing import Refused

PAGING = {"cursor", "limit"}


class Filter(filters.FilterSet):  # type: ignore[misc]
    state = filters.ChoiceFilter(choices=State.choices)
    grant = filters.UUIDFilter(field_name="grant_id", label="Id of the grant")
    server = filters.CharFilter(
        field_name="server__public_id", label="Id of the server, as in its endpoint"
    )
    tool = filters.CharFilter(
        field_name="name", label="Name of the tool, resource or prompt"
    )

    class Meta:
        model = Approval
        fields = ("state", "grant", "server", "tool")


class ApprovalView(MemberView):
    scope = api_tokens.READ

    def get_queryset(self) -> TenantQuerySet[Approval]:
        if getattr(self, "swagger_fake_view", False):
            return Approval.objects.none()
        organization = asker(self.request).membership.organization_id
        rows = Approval.objects.for_organization(organization)
        return rows.select_related("grant", "server", "requester__user")

    def whole(self, approval_id: UUID) -> Approval:
        organization = asker(self.request).membership.organization_id
        votes = Vote.objects.for_organization(organization).order_by("at", "pk")
        rows = self.get_queryset().prefetch_related(Prefetch("votes", votes))
        row = rows.filter(pk=approval_id).first()
        if row is None:
            raise Http404
        return row


class Approvals(ApprovalView):
    serializer_class = ApprovalSummarySerializer
    pagination_class = Keyset
    filter_backends = (filters.DjangoFilterBackend,)
    filterset_class = Filter

    @extend_schema(
        operation_id="approvals_list",
        tags=["approvals"],
        summary="Requests of the organization, newest first",
        description="Needs the scope `approvals:read`. `next` leads to the next page.",
        responses=ApprovalSummarySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        _check_parameters(request)
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(
            ApprovalSummarySerializer(page, many=True).data
        )


class OneApproval(ApprovalView):
    serializer_class = ApprovalSerializer

    @extend_schema(
        operation_id="approvals_read",
        tags=["approvals"],
        summary="One request with its arguments, rules, terms and votes",
        description="Needs the scope `approvals:read`.",
    )
    def get(self, request: Request, approval_id: UUID) -> Response:
        return Response(ApprovalSerializer(self.whole(approval_id)).data)


class Decide(ApprovalView):
    """Never by a session, whatever it may read."""

    scope = api_tokens.DECIDE
    minimum = Role.APPROVER
    authentication_classes = (BearerToken,)
    serializer_class = ApprovalSerializer

    @extend_schema(
        operation_id="approvals_decide",
        tags=["approvals"],
        summary="Approve or deny one request",
        description="Needs the scope `approvals:decide`. The same decision of the same"
        " person may be sent again: the answer is the request as it stands. Any other"
        " is answered 409 once it is over.",
        request=DecisionSerializer,
        responses=ApprovalSerializer,
    )
    def post(self, request: Request, approval_id: UUID) -> Response:
        approval = self.whole(approval_id)
        given = asker(request)
        _check_allowed(given)
        wish = DecisionSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        approves = wish.validated_data["decision"] == DecisionSerializer.APPROVE
        _decide(approval, given, approves, wish.validated_data["reason"])
        return Response(ApprovalSerializer(self.whole(approval_id)).data)


def _check_parameters(request: Request) -> None:
    """A filter that is misspelt or empty would show everything."""
    known = PAGING | set(Filter.base_filters)
    wrong = [
        {"parameter": name, "detail": f"{name} is no parameter that is known."}
        for name in request.query_params
        if name not in known
    ]
    wrong += [
        {"parameter": name, "detail": f"{name} is there twice, or empty."}
        for name, values in request.query_params.lists()
        if len(values) > 1 or not values[0]
    ]
    if wrong:
        raise Problem("invalid", wrong[0]["detail"], errors=wrong)


def _check_allowed(given: Pass) -> None:
    if given.token is None or given.token.membership_id != given.membership.pk:
        raise Problem("no-token", "Only a member's own token decides.")
    if not given.membership.organization.api_decisions:
        raise Problem(
            "decisions-off",
            "Your organization takes no decisions over the API. An admin can allow"
            " them under Settings; else decide on the request's page.",
        )


def _decide(approval: Approval, given: Pass, approves: bool, reason: str) -> None:
    try:
        deciding.vote(
            approval.pk,
            given.membership,
            approves=approves,
            reason=reason,
            via=Via.API,
            fresh=False,
        )
    except Approval.DoesNotExist:
        raise Http404 from None
    except Refused as refused:
        if not _said(approval, given, approves):
            raise _problem(refused, approval, given) from None


def _said(approval: Approval, given: Pass, approves: bool) -> bool:
    """Whether just this is what this person has decided before."""
    rows = Vote.objects.for_organization(approval.organization_id)
    return rows.filter(
        approval=approval, user_id=given.membership.user_id, approves=approves
    ).exists()


def _problem(refused: Refused, approval: Approval, given: Pass) -> Problem:
    if refused.code in ("decided", "expired"):
        return _over(refused, approval)
    if refused.code in ("api", "fresh"):
        own = approval.requester.user_id == given.membership.user_id
        page_only = approval.critical or own
        kind = "page-only" if page_only else "decisions-off"
        return Problem(kind, refused.text)
    return Problem("not-approver", refused.text)


def _over(refused: Refused, approval: Approval) -> Problem:
    """Another was quicker, or it ended otherwise: how it stands now, and by whom."""
    owned = {"organization": approval.organization_id}
    votes = Vote.objects.for_organization(owned["organization"])
    rows = Approval.objects.for_organization(owned["organization"])
    state = rows.values_list("state", flat=True).get(pk=approval.pk)
    said = votes.filter(approval=approval).order_by("at", "pk")
    return Problem("decided", refused.text, state=state, votes=votes_of(said))

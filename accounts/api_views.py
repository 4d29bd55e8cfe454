"""Of the API, what is about whoever asks, and about the API itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import problems
from accounts.api import MemberView
from accounts.api_access import asker
from accounts.api_tokens import SCOPES
from accounts.models import Role


class MemberSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    name = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)


class OrganizationSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    api_decisions = serializers.BooleanField(
        help_text="Whether requests may be decided over the API."
    )


class TokenSerializer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class MeSerializer(serializers.Serializer[Any]):
    member = MemberSerializer()
    organization = OrganizationSerializer()
    scopes = serializers.ListField(child=serializers.ChoiceField(list(SCOPES)))
    token = TokenSerializer(allow_null=True, help_text="null where a session asks.")


class Me(MemberView):
    serializer_class = MeSerializer

    @extend_schema(
        operation_id="me",
        tags=["me"],
        summary="Who asks, and what they may",
        description="Needs no scope.",
    )
    def get(self, request: Request) -> Response:
        given = asker(request)
        member = given.membership
        who = {"email": member.user.email, "name": member.user.name}
        told = {
            "member": who | {"role": member.role},
            "organization": member.organization,
            "scopes": sorted(given.scopes),
            "token": given.token,
        }
        return Response(MeSerializer(told).data)


@require_safe
def list_problems(request: HttpRequest) -> HttpResponse:
    """Where the `type` of every problem leads."""
    kinds = [{"name": name, "kind": kind} for name, kind in problems.KINDS.items()]
    return render(request, "accounts/problems.html", {"kinds": kinds})

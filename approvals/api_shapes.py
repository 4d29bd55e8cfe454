"""What the API shows of approvals, and what it takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals.hook_messages import link
from approvals.models import Approval, State, Via, Vote

Shape = serializers.Serializer[Any]
MOST_REASON = 1000


class ServerSerializer(Shape):
    id = serializers.CharField(source="public_id", help_text="As in its endpoint.")
    name = serializers.CharField()


class GrantSerializer(Shape):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]


class RuleSerializer(Shape):
    rule = serializers.CharField(help_text="JSON Pointer into the policy.")
    reason = serializers.CharField(allow_null=True)


class TermsSerializer(Shape):
    approvers = serializers.ListField(child=serializers.CharField())
    quorum = serializers.IntegerField(help_text="How many different people it takes.")


class VoteSerializer(Shape):
    by = serializers.EmailField(source="email")
    place_of = serializers.CharField(
        source="for_email", help_text="Whose delegate it was; empty where it was none."
    )
    decision = serializers.SerializerMethodField()
    reason = serializers.CharField()
    via = serializers.ChoiceField(Via.choices)
    at = serializers.DateTimeField()

    @extend_schema_field(serializers.ChoiceField(["approve", "deny"]))
    def get_decision(self, vote: Vote) -> str:
        return "approve" if vote.approves else "deny"


class RequesterSerializer(Shape):
    email = serializers.EmailField()
    name = serializers.CharField()


class ApprovalSummarySerializer(Shape):
    """A request, as in a list."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(State.choices)
    method = serializers.CharField(help_text="tools/call, or a read that a limit asks.")
    name = serializers.CharField(help_text="Of the tool, resource or prompt.")
    server = ServerSerializer()
    grant = GrantSerializer()
    requester = RequesterSerializer(source="requester.user")
    client = serializers.CharField(help_text="As the client calls itself.")
    category = serializers.CharField()
    severity = serializers.CharField()
    critical = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Until then it may be decided.")
    decided_at = serializers.DateTimeField(allow_null=True)
    usable_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the approved call may run."
    )
    used_at = serializers.DateTimeField(allow_null=True)
    url = serializers.SerializerMethodField(help_text="Its page.")

    @extend_schema_field(serializers.URLField())
    def get_url(self, approval: Approval) -> str:
        return link(approval)


class ApprovalSerializer(ApprovalSummarySerializer):
    """A request with all that its page shows."""

    arguments = serializers.SerializerMethodField(help_text="Whole, as will be sent.")
    arguments_digest = serializers.CharField(
        help_text="SHA-256 of their canonical text (RFC 8785), in hex."
    )
    fingerprint = serializers.CharField(
        help_text="Of the tool's definition that was shown; empty for a read."
    )
    rules = RuleSerializer(many=True, help_text="Those that asked.")
    terms = TermsSerializer(
        many=True, help_text="Whose word is needed; all must be met."
    )
    self_approval = serializers.BooleanField(
        help_text="Whether the requester's own word counts."
    )
    policy = serializers.UUIDField(source="policy_id", allow_null=True)
    policy_version = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(help_text="Why it was denied, or is void.")
    votes = VoteSerializer(many=True)
    first_call = serializers.UUIDField(help_text="The call that asked, in Activity.")
    used_call = serializers.UUIDField(
        allow_null=True, help_text="The call that ran, in Activity."
    )

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_arguments(self, approval: Approval) -> Any:
        return json.loads(approval.arguments or "{}")


class Text(serializers.CharField):
    """A string only: numbers and booleans are not read as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class DecisionSerializer(Shape):
    APPROVE, DENY = "approve", "deny"

    decision = serializers.ChoiceField([APPROVE, DENY])
    reason = Text(
        required=False,
        default="",
        allow_blank=True,
        max_length=MOST_REASON,
        help_text="Of a denial, the agent is told it.",
    )

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (more := set(data) - set(self.fields)):
            raise serializers.ValidationError(
                dict.fromkeys(sorted(more), "This is no key that is known.")
            )
        return super().to_internal_value(data)


def votes_of(votes: Iterable[Vote]) -> Any:
    return VoteSerializer(votes, many=True).data

"""A desk with a policy that asks, a tool with a schema, and a history of calls."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from accounts.models import Membership, Organization
from approvals.models import Approval
from audit.ids import first_id, time_of
from audit.models import Record
from policies.compile import compile_document
from policies.decision import Ask
from policies.document import parse
from policies.models import Policy, PolicyVersion
from tests.approvals.desk import Desk

DOCUMENT = """{
  "version": "1",
  "default": "deny",
  "tools": {
    "create_refund": {
      "deny_if": [
        {"conditions": [{"path": "args.amount", "op": "gt", "value": 500000}]}
      ],
      "approve_if": [
        {
          "conditions": [{"path": "args.amount", "op": "gt", "value": 10000}],
          "reason": "Refunds over 100 EUR need a person."
        }
      ]
    },
    "drop_table": {"action": "require_approval", "reason": "Nothing brings it back."}
  }
}
"""
RULE = Ask("/tools/create_refund/approve_if/0", "Refunds over 100 EUR need a person.")
REFUND = {
    "amount": 25000,
    "charge_id": "ch_3PqL8e2eZvKYlo2C",
    "currency": "gbp",
    "reason": "requested_by_customer",
}
SCHEMA = {
    "type": "object",
    "properties": {
        "charge_id": {"type": "string", "description": "The charge to refund."},
        "amount": {"type": "integer", "minimum": 1, "description": "In cents."},
        "currency": {"type": "string", "enum": ["eur", "usd", "gbp"]},
        "reason": {"type": "string"},
    },
    "required": ["charge_id", "amount", "currency"],
}
WORDS = "Refunds a charge, in full or in part. The customer sees the money in 5 days."


class Office(Desk):
    def __init__(
        self,
        acme: Organization,
        alice: Membership,
        people: tuple[str, str] = ("anna", "adam"),
    ) -> None:
        super().__init__(acme, alice, people)
        self.policy = Policy.objects.create(
            organization=acme, server=self.server, name="support", draft=DOCUMENT
        )
        self.version = PolicyVersion.objects.create(
            organization=acme,
            policy=self.policy,
            number=3,
            text=DOCUMENT,
            digest=compile_document(parse(DOCUMENT)).digest,
        )
        self.policy.current = self.version
        self.policy.save(update_fields=["current"])
        self.tool.name = "create_refund"
        self.define(description=WORDS, inputSchema=SCHEMA)
        self.grant.policy = self.policy
        self.grant.save(update_fields=["policy"])

    def define(self, **definition: Any) -> None:
        self.tool.definition = json.dumps(definition)
        self.tool.save(update_fields=["name", "definition"])

    def refund(self, *, ask: Ask = RULE, **more: Any) -> Approval:
        """A call that waits; `arguments` and what Desk.asked() takes."""
        arguments = more.pop("arguments", REFUND)
        given: dict[str, Any] = {
            "name": "create_refund",
            "arguments": json.dumps(arguments).encode(),
            "asks": (ask,),
            "policy_id": self.policy.pk,
            "policy_version": 3,
            "expires_in": 3600,
        }
        return self.asked(**(given | more))

    def called(self, arguments: Any, **more: Any) -> None:
        """An allowed call of the grant, an hour ago."""
        at = timezone.now() - timedelta(minutes=1)
        id = UUID(int=first_id(at).int | uuid4().int & (2**62 - 1))
        given = {
            "organization_id": self.acme.pk,
            "grant_id": self.grant.pk,
            "method": "tools/call",
            "name": "create_refund",
            "decision": "allow",
            "arguments": json.dumps(arguments),
        }
        Record.objects.create(time=time_of(id), id=id, **(given | more))

    def history(self) -> None:
        for n in range(8):
            self.called(REFUND | {"amount": 900 + 50 * n, "currency": "eur"})
        self.called(REFUND | {"amount": 1200, "currency": "usd"})

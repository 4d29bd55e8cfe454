"""A grant of alice's that asks, and the people who are asked."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Membership, Organization, Role
from approvals import asking, clock, deciding
from approvals.asking import Question, Standing
from approvals.models import Approval, Delegation, State, Via
from audit.ids import uuid7
from policies.approving import DEFAULT, Asked, Terms
from policies.decision import Ask
from policies.models import Grant
from servers.models import Origin, Server, Severity, ToolDefinition
from tests.conftest import member

RULE = "/tools/pay/action"
ALL = ("role:approver",)
TIMES = ("created_at", "remind_at", "escalate_at", "expires_at", "decided_at") + (
    "usable_until",
    "used_at",
)


class Desk:
    def __init__(
        self,
        acme: Organization,
        alice: Membership,
        people: tuple[str, str] = ("anna", "adam"),
    ) -> None:
        self.acme, self.alice = acme, alice
        self.anna = member(acme, people[0], Role.APPROVER)
        self.adam = member(acme, people[1], Role.ADMIN)
        self.server = Server.objects.create(
            organization=acme, name="payments", url="http://127.0.0.1:1/mcp"
        )
        self.tool = ToolDefinition.objects.create(
            organization=acme,
            server=self.server,
            name="pay",
            definition="{}",
            fingerprint="f" * 64,
            category="Financial",
            severity=Severity.HIGH,
            verdict_origin=Origin.PERSON,
        )
        self.grant = self.make_grant("bot")

    def make_grant(self, label: str) -> Grant:
        return Grant.objects.create(
            organization=self.acme,
            membership=self.alice,
            server=self.server,
            label=label,
            token_hash=secrets.token_bytes(32),
            token_prefix="pl_abcd",
        )

    def question(self, amount: Any = 1, **more: Any) -> Question:
        given: dict[str, Any] = {
            "organization_id": self.acme.pk,
            "grant_id": self.grant.pk,
            "server_id": self.server.pk,
            "method": "tools/call",
            "name": "pay",
            "arguments": json.dumps({"amount": amount}).encode(),
            "fingerprint": "f" * 64,
            "entry_digest": "e" * 64,
            "policy_id": None,
            "policy_version": None,
            "asks": (Ask(RULE, "Moves money"),),
            "asked": DEFAULT,
            "client": "robot",
            "call": uuid7(),
        }
        return Question(**(given | more))

    def asked(self, amount: Any = 1, *, terms: Any = None, **more: Any) -> Approval:
        """A row that waits; `more` is of Asked, or of the question."""
        of_asked = {key: more.pop(key) for key in Asked._fields if key in more}
        if terms is not None:
            of_asked["terms"] = tuple(Terms(tuple(who), *more) for who, *more in terms)
        asked = DEFAULT._replace(**of_asked)
        return self.row(self.ask(self.question(amount, asked=asked, **more)))

    def ask(self, question: Question) -> Standing:
        return asking.ask(question)

    def row(self, of: Standing | Approval | UUID | None) -> Approval:
        key: Any = of.id if isinstance(of, Standing) else getattr(of, "pk", of)
        return Approval.objects.for_organization(self.acme).get(pk=key)

    def vote(
        self, row: Approval, by: Membership, approves: bool = True, **more: Any
    ) -> Approval:
        given: dict[str, Any] = {"via": Via.PAGE, "fresh": False} | more
        return deciding.vote(row.pk, by, approves=approves, **given)

    def approved(self, amount: Any = 1, **more: Any) -> Approval:
        return self.vote(self.asked(amount, **more), self.anna)

    def pass_time(self, row: Approval | Standing, minutes: float) -> None:
        """As if all that happened to it had happened that much earlier."""
        found = self.row(row)
        for name in TIMES:
            if (at := getattr(found, name)) is not None:
                setattr(found, name, at - timedelta(minutes=minutes))
        found.save(update_fields=TIMES)

    def state(self, row: Approval | Standing) -> State:
        return State(self.row(row).state)

    def delegate(
        self, giver: Membership, to: Membership, minutes: float = 60
    ) -> Delegation:
        now = timezone.now()
        return Delegation.objects.create(
            organization=self.acme,
            giver=giver,
            to=to,
            starts_at=now - timedelta(hours=2),
            ends_at=clock.now() + timedelta(minutes=minutes),
        )

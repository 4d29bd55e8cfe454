"""Webhooks and Slack-compatible messages: rows now, sending later (hook_sending.py).

made with its cause   due_at = now
taken by a worker     due_at = end of its lease, attempts + 1
failed                due_at = later, farther each time
delivered, given up   due_at = null
"""

from __future__ import annotations

import json

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from approvals import hook_keys, hook_messages
from approvals.called_tool import input_schema
from approvals.hook_keys import sign
from approvals.hook_messages import About
from approvals.hook_sending import MOST_ATTEMPTS, deliver_due
from approvals.models import Approval, Delivery, Hook, Vote
from approvals.redaction import redact

__all__ = [
    "MOST_ATTEMPTS",
    "MOST_HOOKS",
    "TooMany",
    "add",
    "deliver_due",
    "enqueue",
    "resend",
    "sign",
    "test",
]

MOST_HOOKS = 20


class TooMany(Exception):
    """The organization has as many hooks as it may."""


def enqueue(approval: Approval, event: str) -> None:
    """One delivery for each hook that is on, in the caller's transaction.

    event: a key of `hook_messages.HEADLINES`, such as "requested".
    """
    hooks = list(
        Hook.objects.for_organization(approval.organization_id)
        .filter(enabled=True)
        .select_related("organization")
    )
    if not hooks:
        return
    about = _about(approval, hooks[0].organization)
    Delivery.objects.bulk_create(_delivery(hook, event, about) for hook in hooks)


def _about(approval: Approval, organization: Organization) -> About:
    """As it stands now, whatever the caller's instance was read from."""
    row = (
        Approval.objects.for_organization(organization)
        .select_related("grant", "server", "requester__user")
        .get(pk=approval.pk)
    )
    votes = Vote.objects.for_organization(organization).filter(approval=row)
    given = json.loads(row.arguments or "{}")
    shown = redact(given, input_schema(row), organization.redacted_keys)
    return About(row, list(votes.order_by("at", "pk")), shown)


def _delivery(hook: Hook, event: str, about: About | None = None) -> Delivery:
    row = Delivery(
        organization_id=hook.organization_id,
        hook=hook,
        approval=about and about.approval,
        event=hook_messages.name_of(event),
    )
    row.payload = hook_messages.text_of(hook, event, row.pk, row.created_at, about)
    return row


def add(
    organization: Organization, name: str, url: str, format: str
) -> tuple[Hook, str]:
    """The hook and its key, which is shown once. Raises `TooMany`, or
    `IntegrityError` where the name is taken.
    """
    hook = Hook(organization=organization, name=name, format=format)
    key = hook_keys.seal(hook, url)
    with transaction.atomic():
        # Two that are added at the same moment are counted one after the other.
        Organization.objects.select_for_update().get(pk=organization.pk)
        if Hook.objects.for_organization(organization).count() >= MOST_HOOKS:
            raise TooMany
        hook.save(force_insert=True)
    return hook, key


def test(hook: Hook) -> Delivery:
    row = _delivery(hook, hook_messages.TEST)
    row.save(force_insert=True)
    return row


def resend(delivery: Delivery) -> Delivery:
    """The same text once more, as a delivery of its own."""
    return Delivery.objects.create(
        organization_id=delivery.organization_id,
        hook_id=delivery.hook_id,
        approval_id=delivery.approval_id,
        event=delivery.event,
        payload=delivery.payload,
        due_at=timezone.now(),
        resent_from=delivery,
    )

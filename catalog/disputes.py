"""Disputes: somebody signed in says that a verdict of the catalogue is wrong, and why.

An organization has one open dispute of a tool. The operator is told by a message, as
of the contact form (contact_mail.py): its row is made with the dispute, and mailed
later. Whoever decides writes an answer, which the organization reads; how many were
accepted and rejected stands on the tool's page.
"""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization, User
from accounts.tenancy import TenantQuerySet
from catalog.models import CatalogTool, Dispute, DisputeState, Message

LONGEST = 2000


class AlreadyOpen(Exception):
    """This organization has an open dispute of the tool."""


class NotOpen(Exception):
    """There is no such dispute, or it is decided."""


def dispute(
    tool: CatalogTool,
    organization: Organization,
    by: User,
    category: str,
    severity: str,
    reason: str,
) -> Dispute:
    """Of the definition that the catalogue has now. Raises AlreadyOpen."""
    try:
        with transaction.atomic():
            row = Dispute.objects.create(
                organization=organization,
                tool=tool,
                fingerprint=tool.fingerprint,
                by=by,
                category=category,
                severity=severity,
                reason=reason,
            )
            Message.objects.create(
                name=by.name[:200], email=by.email, text=_told(row), page=place(tool)
            )
    except IntegrityError as error:
        if "catalog_dispute_open" in str(error):
            raise AlreadyOpen from None
        raise
    return row


def decide(dispute_id: UUID, state: DisputeState, answer: str) -> Dispute:
    """Raises NotOpen."""
    rows = Dispute.objects.across_organizations().filter(pk=dispute_id)
    decided = rows.filter(state=DisputeState.OPEN).update(
        state=state, answer=answer, decided_at=timezone.now()
    )
    if not decided:
        raise NotOpen(str(dispute_id))
    return rows.select_related("tool__server").get()


def of_tool(tool: CatalogTool, organization: Organization) -> TenantQuerySet[Dispute]:
    """This organization's own, newest first."""
    rows = Dispute.objects.for_organization(organization).filter(tool=tool)
    return rows.select_related("by").order_by("-created_at")


def place(tool: CatalogTool) -> str:
    return reverse("catalog:tool", args=[tool.server.slug, tool.slug])


def _told(row: Dispute) -> str:
    return (
        f"Disputes a verdict of the catalogue ({row.pk}).\n"
        f"It says {row.tool.category}, {row.tool.severity};"
        f" should be {row.category}, {row.severity}.\n\n{row.reason}"
    )

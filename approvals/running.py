"""An approved call runs exactly once: whoever changes the row runs it.

The row is changed by a conditional UPDATE, so of any number of gateways and retries one
finds it approved. Nothing else in the product runs an approved call.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from approvals import clock, ending
from approvals.looking import NONE, Standing, standing_of
from approvals.models import OPEN, Approval, State
from policies.models import Grant

APPROVED_ANEW = "The same call was approved anew before; this approval did not run."
APPROVED_BEFORE = "The same call is approved already: its run never reached the server."

UNUSED = {"used_call": None, "used_at": None, "told_at": None}

_USABLE = Q(state=State.APPROVED, usable_until__gt=Now())
# A grant that was moved meanwhile is somebody else's, for whom nobody has decided.
_SAME_MEMBER = Exists(
    Grant.objects.across_organizations().filter(
        pk=OuterRef("grant_id"), membership_id=OuterRef("requester_id")
    )
)


def consume(organization_id: UUID, approval_id: UUID, call: UUID) -> bool:
    """True for the one who may run it now, and must."""
    return ending.change(
        organization_id,
        approval_id,
        _USABLE & Q(_SAME_MEMBER),
        "used",
        state=State.USED,
        used_call=call,
        used_at=Now(),
        told_at=None,
    )


@transaction.atomic
def release(organization_id: UUID, approval_id: UUID, call: UUID) -> bool:
    """After a run by `call` that certainly never reached its server.

    True: the identical call is approved again. False: this call did not use it, or its
    time is over.
    """
    used_by_it = Q(state=State.USED, used_call=call)
    rows = Approval.objects.for_organization(organization_id)
    row = rows.filter(used_by_it, pk=approval_id).first()
    if row is None:
        return False
    _lock(row)
    usable = row.usable_until is not None and clock.now() < row.usable_until
    if not usable:
        ending.change_row(row, used_by_it, "expired", state=State.EXPIRED, **UNUSED)
        return False
    if _approved_anew(row):
        end = {"state": State.VOID, "reason": APPROVED_ANEW}
        return ending.change_row(row, used_by_it, "void", **end, **UNUSED)
    return ending.change_row(
        row, used_by_it, "approved", state=State.APPROVED, **UNUSED
    )


def void(organization_id: UUID, approval_id: UUID, reason: str) -> bool:
    """It must not run any more: what was shown is not what would be decided now."""
    return ending.change(
        organization_id,
        approval_id,
        Q(state__in=OPEN),
        "void",
        state=State.VOID,
        reason=reason,
    )


def cancel(organization_id: UUID, approval_id: UUID, reason: str) -> bool:
    """Whoever asked does not wait any more; what is decided stays so."""
    return ending.change(
        organization_id,
        approval_id,
        Q(state=State.PENDING),
        "cancelled",
        state=State.CANCELLED,
        reason=reason,
    )


def look(organization_id: UUID, approval_id: UUID) -> Standing:
    """Of this one approval; NONE where there is no such row."""
    row = (
        Approval.objects.for_organization(organization_id)
        .filter(pk=approval_id)
        .annotate(looked_at=Now())
        .select_related("organization")
        .defer("arguments")
        .first()
    )
    return NONE if row is None else standing_of(row, row.looked_at)


def _lock(row: Approval) -> None:
    # As for asking: of one call one approval only is open, also after this.
    rows = Grant.objects.for_organization(row.organization_id)
    rows.select_for_update(no_key=True).get(pk=row.grant_id)


def _approved_anew(row: Approval) -> bool:
    """Meanwhile, by somebody who was asked again; a question that still waits is
    answered by this approval."""
    rows = Approval.objects.for_organization(row.organization_id)
    for other in rows.filter(binding=row.binding, state__in=OPEN):
        if ending.expire(other):
            continue
        if not cancel(row.organization_id, other.pk, APPROVED_BEFORE):
            return True
    return False

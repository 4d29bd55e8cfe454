"""One person's word on one approval, by the rights of this very moment.

Any word against it ends it. It is approved once all its terms are met by different
people who have the right now: a word counts no more when its giver has lost the right
since. All of it, with what follows, is one transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import generation
from accounts.models import Membership
from approvals import clock, eligible, ending, waiving
from approvals.eligible import Eligible, Panel
from approvals.models import Approval, State, Via, Vote
from approvals.refusing import Refused
from approvals.waiving import Wish

__all__ = ["Refused", "Wish", "vote"]


@transaction.atomic
def vote(
    approval_id: UUID,
    by: Membership,
    *,
    approves: bool,
    reason: str = "",
    via: Via,
    fresh: bool,
    opened_at: datetime | None = None,
    waiver: Wish | None = None,
) -> Approval:
    """`fresh`: signed in within five minutes. Raises Refused, Approval.DoesNotExist."""
    row = _locked(approval_id, by)
    now = clock.now()
    _still_open(row, now)
    seen = eligible.panel(row)
    standing = eligible.judged(seen, by)
    _check(row, seen, by, standing, via=via, fresh=fresh)
    if approves and waiver is not None:
        waiving.check(row, waiver)
    given = _word(row, by, standing, approves=approves, at=now)
    given.reason, given.via, given.fresh, given.opened_at = (
        reason,
        via,
        fresh,
        opened_at,
    )
    given.save(force_insert=True)
    if not approves:
        _end(row, State.DENIED, now, reason=reason)
    elif not seen.unmet([*seen.votes, given]):
        usable_until = now + timedelta(seconds=row.use_within)
        _end(row, State.APPROVED, now, usable_until=usable_until)
    if approves and waiver is not None:
        _waive(row, seen, waiver, by, now)
    return row


def _locked(approval_id: UUID, by: Membership) -> Approval:
    # Locked, as two words at one time would each count the other as not yet there: the
    # last two of a quorum would leave it open, and a denial could be overtaken. Nothing
    # is joined: after waiting, Postgres would join what was there before.
    rows = Approval.objects.for_organization(by.organization_id)
    return rows.select_for_update().get(pk=approval_id)


def _still_open(row: Approval, now: datetime) -> None:
    if row.state == State.EXPIRED or (
        row.state == State.PENDING and now >= row.expires_at
    ):
        raise Refused("expired", "The time to decide is over; the call did not run.")
    if row.state != State.PENDING:
        raise Refused("decided", f"This is over already: {row.get_state_display()}.")


def _check(
    row: Approval,
    seen: Panel,
    by: Membership,
    standing: Eligible,
    *,
    via: Via,
    fresh: bool,
) -> None:
    if any(said.user_id == by.user_id for said in seen.votes):
        raise Refused("decided", "You have decided this already.")
    if not standing.allowed:
        raise Refused(standing.code, standing.why)
    if via == Via.API:
        _check_api(row, by)
    if standing.needs_fresh and not fresh:
        raise Refused("fresh", "Sign in again first: this needs a fresh sign-in.")


def _check_api(row: Approval, by: Membership) -> None:
    if not row.organization.api_decisions:
        raise Refused("api", "Your organization lets nobody decide over the API.")
    if row.critical:
        raise Refused("api", "Critical tools are decided on the request's page only.")
    if row.requester.user_id == by.user_id:
        raise Refused("api", "Calls of one's own grants are decided on their page.")


def _word(
    row: Approval,
    by: Membership,
    standing: Eligible,
    *,
    approves: bool,
    at: datetime,
) -> Vote:
    giver = standing.for_member
    return Vote(
        organization=row.organization,
        approval=row,
        user=by.user,
        email=by.user.email,
        role=by.role,
        for_email="" if giver is None else giver.user.email,
        own=by.user_id == row.requester.user_id,
        approves=approves,
        at=at,
    )


def _end(row: Approval, state: State, now: datetime, **values: Any) -> None:
    row.state, row.decided_at = state, now
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=["state", "decided_at", *values])
    ending.said(row, state.value)


def _waive(
    row: Approval, seen: Panel, wish: Wish, by: Membership, now: datetime
) -> None:
    if row.state != State.APPROVED or seen.votes:
        raise Refused("quorum", waiving.ALONE)
    waiving.make(row, wish, by.user, now)
    generation.changed(row.organization)

"""A tool of the gateway's own, for models that would rather ask than call again.

`policylayer_check_approval` is listed where the grant says so, after the server's
tools, of which none by this name is shown or reached then. It tells how an approval of
this grant stands, and may wait a while for the decision. It decides nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from approvals.looking import Standing
from approvals.models import Approval
from gateway import approval_texts, holding, questions, refusals
from gateway.exchange import Exchange
from gateway.own_tool import LONGEST, NAME
from gateway.questions import Unanswered

UNKNOWN = "This grant has no approval with that id."


async def answer(x: Exchange) -> dict[str, Any]:
    """The result; one that the model can act on, whatever it asked."""
    try:
        approval, seconds = _arguments(x.message.params.get("arguments", {}))
        standing = await _standing(x, approval, seconds)
    except ValueError as error:
        return refusals.tool_error(str(error), {}, x.era)
    except Unanswered:
        return refusals.tool_error(approval_texts.UNSEEN, {}, x.era)
    if standing is None:
        return refusals.tool_error(UNKNOWN, {}, x.era)
    words = _words(x, standing)
    result = refusals.tool_error(words, _meta(x, standing), x.era)
    return result | {"isError": False}


def _arguments(arguments: dict[str, Any]) -> tuple[UUID, int]:
    """Raises ValueError."""
    id, seconds = arguments.get("id"), arguments.get("wait_s", 0)
    if not {"id", "wait_s"}.issuperset(arguments):
        raise ValueError(f"{NAME} takes id and wait_s.")
    if type(seconds) is not int or not 0 <= seconds <= LONGEST:
        raise ValueError(f"wait_s is a whole number from 0 to {LONGEST}.")
    try:
        return UUID(id if isinstance(id, str) else ""), seconds
    except ValueError:
        raise ValueError("id is the id of an approval.") from None


async def _standing(x: Exchange, approval: UUID, seconds: int) -> Standing | None:
    rights = x.snapshot.rights
    mine = Approval.objects.for_organization(rights.organization_id).filter(
        pk=approval, grant=rights.grant_id
    )
    if not await questions.answered(x.gateway, mine.exists):
        return None
    found = await questions.look(x.gateway, rights.organization_id, approval)
    if found.kind != "pending" or not seconds or not holding.takes_events(x):
        return found
    async with x.gateway.slots.taken(rights, seconds) as room:
        return await holding.hold(x, found, seconds) if room else found


def _words(x: Exchange, standing: Standing) -> str:
    if standing.kind != "pending" or standing.id is None:
        return approval_texts.over(standing)
    link = approval_texts.page(x.gateway.base_url, standing.id)
    until = ""
    if standing.expires_at is not None:
        until = approval_texts.moment(standing.expires_at, datetime.now(UTC))
    return approval_texts.still_waits(standing.waiting_for, link, until)


def _meta(x: Exchange, standing: Standing) -> dict[str, Any]:
    return approval_texts.meta(x.decision, x.id, standing, x.gateway.base_url)

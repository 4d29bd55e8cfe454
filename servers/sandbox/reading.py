"""Resources, prompts, and the completion of their arguments."""

from __future__ import annotations

import json
from collections.abc import Iterable

from mcp.server.mcpserver.exceptions import ResourceError
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from servers.sandbox.app import app
from servers.sandbox.state import STATE, Mistake

TONES = ("apologetic", "brief", "friendly", "formal")


@app.resource("sandbox://readme", title="About the sandbox", mime_type="text/markdown")
def readme() -> str:
    """What this server is."""
    return (
        "# Sandbox\n\nCharges, refunds, payouts and tickets, all invented. Call"
        " `reset_sandbox` to begin again.\n"
    )


@app.resource("sandbox://refund-policy", title="Refund policy", mime_type="text/plain")
def refund_policy() -> str:
    """The rules that people at the help desk follow."""
    return "Refunds over 100.00 need a second person. Never refund twice."


@app.resource(
    "sandbox://tickets/{ticket_id}", title="Ticket", mime_type="application/json"
)
def ticket(ticket_id: str) -> str:
    """One ticket as JSON."""
    try:
        return json.dumps(STATE.ticket(ticket_id))
    except Mistake as mistake:
        raise ResourceError(str(mistake)) from None


@app.resource(
    "sandbox://charges/{charge_id}", title="Charge", mime_type="application/json"
)
def charge(charge_id: str) -> str:
    """One charge as JSON."""
    try:
        return json.dumps(STATE.charge(charge_id))
    except Mistake as mistake:
        raise ResourceError(str(mistake)) from None


@app.prompt(title="Sort a ticket")
def triage_ticket(ticket_id: str) -> str:
    """Decide how urgent a ticket is and what to do next."""
    row = STATE.tickets.get(ticket_id)
    about = json.dumps(row) if row else f"There is no ticket {ticket_id}."
    return f"Say how urgent this ticket is and what to do next, in two lines:\n{about}"


@app.prompt(title="Write about a refund")
def refund_reply(charge_id: str, tone: str = "friendly") -> str:
    """Write to a customer about a refund."""
    row = STATE.charges.get(charge_id)
    about = json.dumps(row) if row else f"There is no charge {charge_id}."
    return f"Write a {tone} mail to the customer about a refund of:\n{about}"


@app.completion()  # type: ignore[no-untyped-call, untyped-decorator]
async def complete(
    ref: PromptReference | ResourceTemplateReference,
    argument: CompletionArgument,
    context: CompletionContext | None,
) -> Completion:
    known: dict[str, Iterable[str]] = {
        "ticket_id": STATE.tickets,
        "charge_id": STATE.charges,
        "tone": TONES,
    }
    found = [
        each for each in known.get(argument.name, ()) if each.startswith(argument.value)
    ]
    return Completion(values=found[:100], total=len(found), has_more=len(found) > 100)

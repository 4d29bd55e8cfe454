"""Help desk tools: reading, writing and deleting tickets."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from servers.sandbox.app import READS, app, changes, telling
from servers.sandbox.state import STATE, Priority, Status, Ticket

TicketId = Annotated[str, Field(description="For example T-101")]


@app.tool(title="List tickets", annotations=READS)
def list_tickets(status: Status | None = None) -> list[Ticket]:
    """List tickets, all or those of one status."""
    return [row for row in STATE.tickets.values() if status in (None, row["status"])]


@app.tool(title="Search tickets", annotations=READS)
def search_tickets(query: Annotated[str, Field(min_length=1)]) -> list[Ticket]:
    """Find tickets whose subject or messages contain a text."""
    text = query.lower()
    return [
        row
        for row in STATE.tickets.values()
        if any(text in each.lower() for each in (row["subject"], *row["messages"]))
    ]


@app.tool(
    title="Open a ticket", annotations=changes(destructive=False, idempotent=False)
)
@telling
def create_ticket(
    subject: Annotated[str, Field(min_length=1, max_length=200)],
    customer: str,
    message: str,
    priority: Priority = "normal",
) -> Ticket:
    """Open a new ticket for a customer."""
    ticket = Ticket(
        id=STATE.next_id("T-"),
        subject=subject,
        customer=customer,
        priority=priority,
        status="open",
        messages=[message],
    )
    STATE.tickets[ticket["id"]] = ticket
    return ticket


@app.tool(
    title="Change a ticket", annotations=changes(destructive=True, idempotent=True)
)
@telling
def update_ticket(
    ticket_id: TicketId, status: Status | None = None, priority: Priority | None = None
) -> Ticket:
    """Set the status or the priority of a ticket."""
    ticket = STATE.ticket(ticket_id)
    ticket["status"] = status or ticket["status"]
    ticket["priority"] = priority or ticket["priority"]
    return ticket


@app.tool(
    title="Answer a ticket", annotations=changes(destructive=False, idempotent=False)
)
@telling
def reply_to_ticket(ticket_id: TicketId, message: str) -> Ticket:
    """Add a message to a ticket."""
    ticket = STATE.ticket(ticket_id)
    ticket["messages"] = [*ticket["messages"], message][-100:]
    return ticket


@app.tool(
    title="Delete a ticket", annotations=changes(destructive=True, idempotent=True)
)
@telling
def delete_ticket(ticket_id: TicketId) -> str:
    """Delete a ticket with all its messages. This cannot be undone."""
    STATE.ticket(ticket_id)
    del STATE.tickets[ticket_id]
    return f"{ticket_id} is deleted."


@app.tool(
    title="Delete closed tickets",
    annotations=changes(destructive=True, idempotent=True),
)
def purge_tickets() -> str:
    """Delete all closed tickets. This cannot be undone."""
    closed = [key for key, row in STATE.tickets.items() if row["status"] == "closed"]
    for key in closed:
        del STATE.tickets[key]
    return f"{len(closed)} tickets are deleted."


@app.tool(title="Start again", annotations=changes(destructive=True, idempotent=True))
def reset_sandbox() -> str:
    """Forget everything and begin again with the sample charges and tickets."""
    STATE.reset()
    return "The sandbox is as it was at the start."

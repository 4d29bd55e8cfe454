"""Tools that run something, take their time, and say how far they are."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from mcp.server.mcpserver import Context
from pydantic import Field

from servers.sandbox.app import READS, app, changes
from servers.sandbox.state import STATE

RUNS = changes(destructive=False, idempotent=False)
Steps = Annotated[int, Field(ge=1, le=100)]


@app.tool(title="Run a report", annotations=RUNS)
async def run_report(
    ctx: Context, kind: Literal["revenue", "tickets"] = "revenue", steps: Steps = 5
) -> str:
    """Run a report job step by step, with progress notifications."""
    for step in range(1, steps + 1):
        await ctx.report_progress(step, steps, f"{kind}: step {step} of {steps}")
        await asyncio.sleep(0.1)
    if kind == "tickets":
        return f"{len(STATE.tickets)} tickets."
    taken = sum(row["amount"] - row["refunded"] for row in STATE.charges.values())
    return f"{len(STATE.charges)} charges, {taken} cents after refunds."


@app.tool(title="Run a webhook again", annotations=RUNS)
async def replay_webhook(
    ctx: Context, event: Annotated[str, Field(min_length=1, max_length=200)]
) -> str:
    """Run the handler of a past event once more."""
    await ctx.report_progress(1, 2, "loading")
    await asyncio.sleep(0.05)
    await ctx.report_progress(2, 2, "running")
    return f"The handler of {event} ran."


@app.tool(title="Wait", annotations=READS)
async def wait(seconds: Annotated[float, Field(ge=0, le=60)]) -> str:
    """Answer after some seconds: a slow tool to try time limits on."""
    await asyncio.sleep(seconds)
    return f"Waited {seconds:g} seconds."


@app.tool(title="Export tickets", annotations=READS)
async def export_tickets(
    ctx: Context, pause: Annotated[float, Field(ge=0, le=5)] = 0.2
) -> str:
    """Write all tickets as lines of text, slowly, with progress notifications."""
    rows = list(STATE.tickets.values())
    for number, row in enumerate(rows, 1):
        await ctx.report_progress(number, len(rows), row["id"])
        await asyncio.sleep(pause)
    return "\n".join(f"{row['id']}\t{row['status']}\t{row['subject']}" for row in rows)

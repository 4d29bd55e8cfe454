"""Payment tools: reading charges, and moving money that is not there."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from servers.sandbox.app import READS, app, changes, telling
from servers.sandbox.state import STATE, Charge, Currency, Mistake, Payout, Refund

Amount = Annotated[int, Field(ge=1, description="In cents")]
ChargeId = Annotated[str, Field(description="For example ch_1001")]


@app.tool(title="List charges", annotations=READS)
def list_charges(
    customer: Annotated[str | None, Field(description="E-mail address")] = None,
) -> list[Charge]:
    """List charges, all or those of one customer."""
    rows = STATE.charges.values()
    return [row for row in rows if customer in (None, row["customer"])]


@app.tool(title="Get a charge", annotations=READS)
@telling
def get_charge(charge_id: ChargeId) -> Charge:
    """Get one charge with what was refunded of it."""
    return STATE.charge(charge_id)


@app.tool(
    title="Refund a charge",
    annotations=changes(destructive=True, idempotent=False),
)
@telling
def create_refund(
    charge_id: ChargeId, amount: Amount, currency: Currency, reason: str = ""
) -> Refund:
    """Give money back for a charge. This cannot be undone."""
    charge = STATE.charge(charge_id)
    if currency != charge["currency"]:
        raise Mistake(f"{charge_id} was paid in {charge['currency']}.")
    left = charge["amount"] - charge["refunded"]
    if amount > left:
        raise Mistake(f"Only {left} of {charge_id} can still be refunded.")
    refund = Refund(
        id=STATE.next_id("re_"), charge=charge_id, amount=amount, reason=reason
    )
    charge["refunded"] += amount
    STATE.refunds.append(refund)
    return refund


@app.tool(title="Pay out", annotations=changes(destructive=True, idempotent=False))
@telling
def create_payout(amount: Amount, currency: Currency, account: str) -> Payout:
    """Transfer money to a bank account. This cannot be undone."""
    payout = Payout(
        id=STATE.next_id("po_"), amount=amount, currency=currency, account=account
    )
    STATE.payouts.append(payout)
    return payout


@app.tool(title="List refunds and payouts", annotations=READS)
def list_transfers() -> dict[str, list[Refund] | list[Payout]]:
    """List all refunds and payouts since the last reset."""
    return {"refunds": STATE.refunds, "payouts": STATE.payouts}

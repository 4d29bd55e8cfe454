"""What the sandbox remembers: charges, refunds, payouts and tickets."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Literal

# Not from typing: pydantic needs this one before Python 3.12.
from typing_extensions import TypedDict

Currency = Literal["usd", "eur", "gbp"]
Priority = Literal["low", "normal", "urgent"]
Status = Literal["open", "waiting", "closed"]
MOST = 10_000


class Charge(TypedDict):
    id: str
    amount: int
    currency: Currency
    customer: str
    refunded: int


class Refund(TypedDict):
    id: str
    charge: str
    amount: int
    reason: str


class Payout(TypedDict):
    id: str
    amount: int
    currency: Currency
    account: str


class Ticket(TypedDict):
    id: str
    subject: str
    customer: str
    priority: Priority
    status: Status
    messages: list[str]


class Mistake(Exception):
    """The caller asked for something that cannot be; the text says what."""


def _charges() -> dict[str, Charge]:
    rows: list[tuple[int, Currency, str]] = [
        (1200, "usd", "ada@example.com"),
        (25000, "eur", "grace@example.com"),
        (480, "usd", "ada@example.com"),
        (99900, "gbp", "linus@example.com"),
        (7350, "eur", "barbara@example.com"),
    ]
    return {
        f"ch_{1000 + n}": Charge(
            id=f"ch_{1000 + n}",
            amount=amount,
            currency=currency,
            customer=customer,
            refunded=0,
        )
        for n, (amount, currency, customer) in enumerate(rows, 1)
    }


def _tickets() -> dict[str, Ticket]:
    rows: list[tuple[str, str, Priority, Status, str]] = [
        ("Charged twice", "ada@example.com", "urgent", "open",
         "I see two charges for one order."),
        ("Invoice address", "grace@example.com", "low", "waiting",
         "Please put our new address on the invoice."),
        ("Cannot sign in", "linus@example.com", "normal", "open",
         "The reset mail never arrives."),
    ]  # fmt: skip
    return {
        f"T-{100 + n}": Ticket(
            id=f"T-{100 + n}",
            subject=subject,
            customer=customer,
            priority=priority,
            status=status,
            messages=[message],
        )
        for n, (subject, customer, priority, status, message) in enumerate(rows, 1)
    }


@dataclass
class State:
    charges: dict[str, Charge] = field(default_factory=_charges)
    tickets: dict[str, Ticket] = field(default_factory=_tickets)
    refunds: list[Refund] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)
    numbers: count[int] = field(default_factory=lambda: count(2001))

    def charge(self, charge_id: str) -> Charge:
        if charge_id not in self.charges:
            raise Mistake(f"There is no charge {charge_id}.")
        return self.charges[charge_id]

    def ticket(self, ticket_id: str) -> Ticket:
        if ticket_id not in self.tickets:
            raise Mistake(f"There is no ticket {ticket_id}.")
        return self.tickets[ticket_id]

    def next_id(self, prefix: str) -> str:
        if len(self.refunds) + len(self.payouts) + len(self.tickets) > MOST:
            raise Mistake("The sandbox is full; call reset_sandbox first.")
        return f"{prefix}{next(self.numbers)}"

    def reset(self) -> None:
        fresh = State()
        self.charges, self.tickets = fresh.charges, fresh.tickets
        self.refunds, self.payouts = [], []


STATE = State()

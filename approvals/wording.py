"""Whose word an approval needs, in words. No address: an agent may read this."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import Role
from approvals.models import Approval

_ROLE = "role:"


def waiting_for(row: Approval) -> str:
    """Such as `an approver of Acme`, `2 admins of Acme`."""
    said = [_terms(each["approvers"], each["quorum"]) for each in row.terms]
    return f"{', and '.join(dict.fromkeys(said))} of {row.organization.name}"


def _terms(approvers: Sequence[str], quorum: int) -> str:
    roles = [name.removeprefix(_ROLE) for name in approvers if name.startswith(_ROLE)]
    named = len(approvers) - len(roles)
    if quorum == 1:
        said = [_one(Role(role).label) for role in roles]
        return " or ".join(said + ([_one_of(named)] if named else []))
    said = [f"{Role(role).label.lower()}s" for role in roles]
    people = "named people" if named > 1 else "a named person"
    joined = " or ".join(said + ([people] if named else []))
    return (
        f"{quorum} {joined}"
        if len(roles) + bool(named) == 1
        else (f"{quorum} people ({joined})")
    )


def _one(label: str) -> str:
    return f"{'an' if label[0] in 'AEIOU' else 'a'} {label.lower()}"


def _one_of(named: int) -> str:
    return "a named person" if named == 1 else f"one of {named} named people"

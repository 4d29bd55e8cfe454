"""Who need not be asked about a call: by an approval, by a waiver, by break-glass.

Waivers and openings end by the clock, on each call; nothing has to be written for that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from approvals import waiving
from gateway.snapshot import Rights, Waiver

if TYPE_CHECKING:
    from gateway.exchange import Exchange


def rules(x: Exchange) -> frozenset[str]:
    """Approval rules that ask nobody about this call."""
    covered = frozenset() if x.asked is None else x.asked.covers
    for waiver in _waivers(x):
        covered |= waiver.rules
        if x.approval is None:
            x.approval = waiver.approval
    return covered


def opening(rights: Rights, tool: str) -> str | None:
    """The id of the opening of this tool that is in force, if any."""
    for id, expires in rights.break_glass.get(tool, ()):
        if time.time() < expires:
            return id
    return None


def _waivers(x: Exchange) -> Iterator[Waiver]:
    rights = x.snapshot.rights
    found = rights.waivers.get(x.name, ()) if x.method.kind == "tool" else ()
    pin = rights.tools.get(x.name)
    if not found or pin is None or rights.policy is None:
        return
    digest, now = rights.policy.entry_digest(x.name), time.time()
    arguments = x.message.params.get("arguments", {})
    for waiver in found:
        if (
            now < waiver.expires
            and waiver.fingerprint == pin.fingerprint
            and waiver.entry_digest == digest
            and waiving.alike(waiver.arguments, arguments)
        ):
            yield waiver

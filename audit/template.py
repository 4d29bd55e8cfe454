"""The records of one grant's calls, of which most is the same each time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson

from audit.entries import (
    LARGEST,
    LARGEST_ARGUMENTS,
    VERSION,
    CallEntry,
    encode_call,
    header_fields,
    pack_judgement,
)
from policies.decision import Decision, Judgement


class Template:
    """The calls of one grant under one policy. What they have in common, which
    `entry` holds, is written once; the rest is given to `encode` for each."""

    def __init__(self, entry: CallEntry) -> None:
        self.entry = entry
        fields = header_fields(entry, None, str)
        try:
            self._owners: Any = _several(fields[1:8])
            self._policy: Any = _several(fields[10:13])
        except TypeError:  # A lone surrogate: each call is cut.
            self._owners = self._policy = _UNWRITABLE

    def encode(
        self,
        id: UUID,
        method: str,
        name: str,
        client: tuple[str, str, str],
        arguments: bytes | None,
        judgement: Judgement | None,
        decided: Decision,
        approval: UUID | None = None,
    ) -> bytes:
        """As `encode_call` of the whole entry. `client` is its name, era, revision."""
        length = 0 if arguments is None else len(arguments)
        kept = None if arguments is None else (True, "", length, "")
        decision, rule, reason, *_ = decided
        packed = pack_judgement(judgement, str)
        fields = [id, self._owners, method, name, self._policy, *client, kept, packed]
        fields += (decision, rule, reason or "")
        if approval is not None:
            fields.append(approval)
        try:
            header = orjson.dumps(fields)
        except TypeError:
            header = b""
        whole = len(header) + length + 5 <= LARGEST and length <= LARGEST_ARGUMENTS
        if header and whole:
            size = len(header).to_bytes(4, "big")
            return b"%b%b%b%b" % (VERSION, size, header, arguments or b"")
        entry = replace(self.entry, id=id, method=method, name=name)
        entry.client, entry.era, entry.revision = client
        entry.arguments, entry.judgement = arguments, judgement
        entry.decision, entry.rule, entry.reason = decision, rule, reason or ""
        entry.approval = approval
        return encode_call(entry)


_UNWRITABLE = object()


def _several(fields: list[Any]) -> orjson.Fragment:
    """Fields of a list, to be written into it as they are."""
    return orjson.Fragment(orjson.dumps(fields)[1:-1])

"""What a decision is made from, besides the document and the counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from policies.schema import Validator, plain_validator, strict_validator

Kind = Literal["tool", "resource", "prompt"]


# Never written to: what a call without arguments is judged by.
NO_ARGUMENTS: dict[str, object] = {}


class Call(NamedTuple):
    """`name` is the tool's name, the URI as sent, or the prompt's name.

    `args` is decoded JSON; a number whose own digits matter may be a
    `jiter.LosslessFloat`.
    """

    kind: Kind
    name: str
    args: object = NO_ARGUMENTS


@dataclass(frozen=True)
class Tool:
    """A pinned definition with its verdict. Its validators are made when first
    needed and kept, so one object should live as long as the definition."""

    name: str
    input_schema: Mapping[str, object] | None = None
    annotations: Mapping[str, object] = field(default_factory=dict)
    category: str = "Other"
    severity: str = "low"
    held: bool = False

    def accepts(self, args: object, strict: bool) -> bool:
        """The arguments satisfy the schema; with no schema, or one that cannot be
        compiled without network and with linear regexes, none do."""
        validate = self._strict if strict else self._plain
        return validate(args)

    @cached_property
    def _plain(self) -> Validator:
        return plain_validator(self.input_schema)

    @cached_property
    def _strict(self) -> Validator:
        return strict_validator(self.input_schema)


class Facts(NamedTuple):
    """What the gateway knows of a call, apart from the call.

    `tool` is None where the server never listed the name. `at` is aware;
    `waived` holds the pointers of approval rules that an approval or a waiver
    covers; `break_glass` is the id of an opening for this tool and grant.
    """

    tool: Tool | None
    killed: bool
    grant_label: str | None
    grant_tags: tuple[str, ...] | None
    user_email: str | None
    user_role: str | None
    client_name: str | None
    at: datetime
    zone: ZoneInfo
    waived: frozenset[str] = frozenset()
    break_glass: str | None = None

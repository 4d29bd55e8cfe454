"""The server object, and what its parts have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from servers.sandbox.state import Mistake

P = ParamSpec("P")
R = TypeVar("R")

app = MCPServer(
    "policylayer-sandbox",
    title="PolicyLayer sandbox",
    description="Payments and tickets to try policies on. Nothing here is real.",
    instructions=(
        "A sandbox of a payment processor and a help desk. Amounts are in the"
        " currency's smallest unit (cents). Nothing here touches real money or people."
    ),
    version="1.0.0",
    log_level="WARNING",
)

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)


def changes(*, destructive: bool, idempotent: bool) -> ToolAnnotations:
    return ToolAnnotations(
        read_only_hint=False,
        destructive_hint=destructive,
        idempotent_hint=idempotent,
        open_world_hint=False,
    )


def telling(act: Callable[P, R]) -> Callable[P, R]:
    """A `Mistake` becomes a tool error that the model can read."""

    @wraps(act)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return act(*args, **kwargs)
        except Mistake as mistake:
            raise ToolError(str(mistake)) from None

    return told

"""From what went wrong to what a person can do about it."""

from __future__ import annotations

from servers import failures
from servers.definitions import printable
from servers.mcp_client import (
    BadStatus,
    McpError,
    NotMcp,
    RpcError,
    Unauthorized,
    UnknownRevision,
)

MAX_TEXT = 1000


class Failed(Exception):
    """`kind` for programs, `what` happened, and how to `fix` it."""

    def __init__(self, kind: str, what: str, fix: str) -> None:
        what = printable(what, MAX_TEXT)
        super().__init__(f"{what} {fix}".strip())
        self.kind, self.what, self.fix = kind, what, fix


_WIRE: list[tuple[type[failures.WireError], str, str]] = [
    (failures.Refused, "address",
     "Give the address of a server that this installation may reach."),
    (failures.Unresolved, "dns", "Check the spelling of the host name."),
    (failures.Unreachable, "connect",
     "Check that the server runs, its port, and that a firewall lets us in."),
    (failures.Untrusted, "tls",
     "The server needs a certificate for this name from a public authority; if it"
     " speaks plain HTTP, the URL begins with http://."),
    (failures.Busy, "busy", "Try again in a minute."),
    (failures.TimedOut, "timeout", "Check that the server is up and not overloaded."),
    (failures.TooLarge, "too large",
     "An answer may have 1 MiB; the server can list its tools in pages."),
    (failures.Redirected, "redirect",
     "Redirects are not followed. Give the URL that it points to, if you trust it."),
    (failures.Malformed, "http", "Check that this is the address of an HTTP server."),
    (failures.Lost, "lost", "Try again; if it stays, look at the server's log."),
]  # fmt: skip


def explain(error: Exception, has_credentials: bool) -> Failed:
    if isinstance(error, TimeoutError):
        return Failed(
            "timeout",
            "The server did not finish answering in time.",
            "Check that the server is up and not overloaded.",
        )
    if isinstance(error, McpError):
        return _mcp(error, has_credentials)
    for kind, name, fix in _WIRE:
        if isinstance(error, kind):
            return Failed(name, error.reason, fix)
    raise error


def _mcp(error: McpError, has_credentials: bool) -> Failed:
    if isinstance(error, Unauthorized):
        return _unauthorized(error.status, has_credentials)
    if isinstance(error, BadStatus):
        return _status(error.status)
    if isinstance(error, RpcError):
        return Failed(
            "mcp",
            f"The server refuses to begin: {error}",
            "Look at the server's own log for the reason.",
        )
    if isinstance(error, UnknownRevision):
        return Failed(
            "revision",
            f"The server speaks revision {error} of MCP, which is not supported.",
            "Supported are 2026-07-28, 2025-11-25, 2025-06-18 and 2025-03-26.",
        )
    if isinstance(error, NotMcp):
        return Failed(
            "not mcp",
            f"This is no MCP server that can be used: {error}",
            "Check the URL: it is often the one ending in /mcp.",
        )
    raise error


def _unauthorized(status: int, has_credentials: bool) -> Failed:
    if has_credentials:
        fix = "Check the credentials: they may be wrong, expired, or lack a right."
    else:
        fix = "The server wants credentials: add a bearer token or a header."
    return Failed("credentials", f"The server refuses us (HTTP {status}).", fix)


def _status(status: int) -> Failed:
    what = f"The server answers with HTTP {status}."
    if status == 404:
        return Failed("path", what, "Check the path: is the URL ending in /mcp?")
    if status == 405:
        return Failed(
            "path",
            what,
            "Nothing takes POST here. Give the streamable HTTP URL, often /mcp; the"
            " older HTTP+SSE transport (/sse) is not supported.",
        )
    if status == 429:
        return Failed("busy", what, "The server limits requests: try again later.")
    if status >= 500:
        return Failed("server", what, "The server has a fault: look at its own log.")
    return Failed("http", what, "Check the URL: it is often the one ending in /mcp.")

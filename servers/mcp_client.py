"""A small MCP client for discovery: says hello in either era and lists the tools.

The probe follows the official SDKs: `server/discover` first; an answer of this era
makes it modern. 401, 403, 5xx and silence are no evidence of an era and end it. Any
other refusal leads to `initialize`, from the newest handshake revision downwards.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from servers.addresses import Target
from servers.definitions import BadJson, decode
from servers.events import EventReader
from servers.failures import WireError
from servers.http1 import Deadlines, Headers, Pool, Response

log = logging.getLogger(__name__)

MODERN = "2026-07-28"
HANDSHAKES = ("2025-11-25", "2025-06-18", "2025-03-26")
MAX_ANSWER = 1024 * 1024
MAX_LISTED = 8 * 1024 * 1024
MAX_PAGES = 64
MAX_CURSOR = 64 * 1024
MAX_SESSION_ID = 1024
UNSUPPORTED_VERSION = -32022
DEADLINES = Deadlines(connect=5, first_byte=15, idle=15, total=30)
GOODBYE = Deadlines(connect=1, first_byte=2, idle=2, total=2)
CLIENT = {"name": "policylayer", "title": "PolicyLayer", "version": "0.1.0"}
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": CLIENT,
}


class McpError(Exception):
    """The server answered, but not as an MCP server that can be used."""


class Unauthorized(McpError):
    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class BadStatus(McpError):
    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class NotMcp(McpError):
    """The text says how the answer differs from MCP."""


class RpcError(McpError):
    def __init__(self, status: int, code: int, message: str, data: Any) -> None:
        super().__init__(f"{message} ({code})")
        self.status, self.code, self.data = status, code, data


class UnknownRevision(McpError):
    pass


class _NotModern(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Hello:
    """How the server introduced itself."""

    modern: bool
    revision: str
    identity: dict[str, Any] = field(default_factory=dict)
    capabilities: dict[str, Any] = field(default_factory=dict)
    instructions: str = ""


class McpClient:
    """One conversation. Raises `McpError`, or `WireError` from the connection."""

    def __init__(self, pool: Pool, target: Target, headers: Headers) -> None:
        self._pool, self._target = pool, target
        self._headers: Headers = [
            *headers,
            (b"content-type", b"application/json"),
            (b"accept", b"application/json, text/event-stream"),
        ]
        self._revision = MODERN
        self._session: bytes | None = None
        self._last_id = 0

    async def hello(self) -> Hello:
        try:
            return await self._discover()
        except _NotModern:
            return await self._initialize()

    async def tools(self) -> list[Any]:
        """All pages of tools/list, as they came."""
        listed: list[Any] = []
        size, cursor = 0, None
        for _ in range(MAX_PAGES):
            params: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
            page, length = await self._request("tools/list", params)
            size += length
            if size > MAX_LISTED:
                raise NotMcp("Its list of tools is larger than 8 MiB.")
            listed += _listed(page)
            cursor = page.get("nextCursor")
            if cursor is None:
                return listed
            if not isinstance(cursor, str) or len(cursor) > MAX_CURSOR:
                raise NotMcp("The cursor in its list of tools is no short text.")
        raise NotMcp(f"Its list of tools has more than {MAX_PAGES} pages.")

    async def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The result of one request, once hello was said."""
        result, _ = await self._request(method, dict(params))
        return result

    async def goodbye(self) -> None:
        """Ends the session, where there is one; a server may refuse that."""
        if self._session is None:
            return
        try:
            response = await self._send("DELETE", None, b"", GOODBYE)
            response.close()
        except WireError as error:
            log.info("%s did not end the session: %s", self._target.host, error)

    async def _discover(self) -> Hello:
        try:
            result, _ = await self._request("server/discover", {})
        except RpcError as error:
            if error.status >= 500:
                raise BadStatus(error.status) from None
            raise _NotModern from None
        except BadStatus as error:
            if error.status >= 500:
                raise
            raise _NotModern from None
        except NotMcp:
            raise _NotModern from None
        versions = result.get("supportedVersions")
        if not isinstance(versions, list) or MODERN not in versions:
            raise _NotModern
        meta = _object(result, "_meta")
        return Hello(
            modern=True,
            revision=MODERN,
            identity=_object(meta, "io.modelcontextprotocol/serverInfo"),
            capabilities=_object(result, "capabilities"),
            instructions=_text(result, "instructions"),
        )

    async def _initialize(self) -> Hello:
        for revision in HANDSHAKES[:-1]:
            try:
                return await self._handshake(revision)
            except (RpcError, BadStatus) as error:
                # Some servers refuse a revision that they do not know with 400.
                if error.status not in (200, 400):
                    raise
        return await self._handshake(HANDSHAKES[-1])

    async def _handshake(self, revision: str) -> Hello:
        self._revision, self._session = revision, None
        params = {
            "protocolVersion": revision,
            "capabilities": {},
            "clientInfo": CLIENT,
        }
        result, _ = await self._request("initialize", params)
        agreed = result.get("protocolVersion")
        if agreed not in HANDSHAKES:
            raise UnknownRevision(str(agreed)[:40])
        self._revision = agreed
        await self._notify("notifications/initialized")
        return Hello(
            modern=False,
            revision=agreed,
            identity=_object(result, "serverInfo"),
            capabilities=_object(result, "capabilities"),
            instructions=_text(result, "instructions"),
        )

    async def _notify(self, method: str) -> None:
        body = orjson.dumps({"jsonrpc": "2.0", "method": method})
        response = await self._send("POST", method, body, DEADLINES)
        response.close()
        _check_status(response.status)

    async def _request(
        self, method: str, params: dict[str, Any]
    ) -> tuple[dict[str, Any], int]:
        """The result, and how many bytes were read for it."""
        self._last_id += 1
        if self._revision == MODERN:
            params = params | {"_meta": META}
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method}
        body = orjson.dumps(message | {"params": params})
        response = await self._send("POST", method, body, DEADLINES)
        try:
            if response.status in (401, 403):
                raise Unauthorized(response.status)
            answer, size = await self._answer(response)
        finally:
            response.close()
        if method == "initialize":
            self._session = _session_id(response)
        return _result(answer, response.status), size

    async def _send(
        self, verb: str, method: str | None, body: bytes, deadlines: Deadlines
    ) -> Response:
        headers = [*self._headers]
        if method != "initialize":
            headers.append((b"mcp-protocol-version", self._revision.encode()))
        if self._revision == MODERN and method:
            headers.append((b"mcp-method", method.encode()))
        if self._session is not None:
            headers.append((b"mcp-session-id", self._session))
        target = self._target
        return await self._pool.request(
            target, verb, target.path, headers, body, deadlines
        )

    async def _answer(self, response: Response) -> tuple[dict[str, Any], int]:
        if response.content_type == "application/json":
            body = await response.read(MAX_ANSWER)
            return _message(body, response.status), len(body)
        if response.content_type == "text/event-stream" and response.status == 200:
            return await self._from_stream(response)
        _check_status(response.status)
        raise NotMcp(
            f"It answers with {response.content_type[:100] or 'no content type'}"
            " instead of JSON."
        )

    async def _from_stream(self, response: Response) -> tuple[dict[str, Any], int]:
        """The answer among the events; notifications before it are passed over."""
        events = EventReader(MAX_ANSWER)
        size = 0
        async for piece in response.chunks():
            size += len(piece)
            if size > MAX_LISTED:
                raise NotMcp("It sends more than 8 MiB of events before an answer.")
            for data in events.feed(piece):
                message = _message(data, 200)
                if message.get("id") == self._last_id and "method" not in message:
                    return message, size
        raise NotMcp("Its stream of events ends without an answer.")


async def say_hello_and_list(
    pool: Pool, target: Target, headers: Headers, seconds: float
) -> tuple[Hello, list[Any]]:
    """Raises `McpError`, `WireError`, or TimeoutError after `seconds`."""
    client = McpClient(pool, target, headers)
    try:
        async with asyncio.timeout(seconds):
            hello = await client.hello()
            tools = await client.tools() if "tools" in hello.capabilities else []
            return hello, tools
    finally:
        await client.goodbye()


def _message(body: bytes, status: int) -> dict[str, Any]:
    try:
        message = decode(body)
    except BadJson as error:
        _check_status(status)
        raise NotMcp(f"Its answer is no valid JSON: {error}") from None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        _check_status(status)
        raise NotMcp("Its answer is JSON, but no JSON-RPC 2.0.")
    return message


def _result(message: dict[str, Any], status: int) -> dict[str, Any]:
    error = message.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        raise RpcError(
            status,
            code if isinstance(code, int) else 0,
            str(error.get("message"))[:500],
            error.get("data"),
        )
    _check_status(status)
    result = message.get("result")
    if not isinstance(result, dict):
        raise NotMcp("Its answer has no result.")
    return result


def _check_status(status: int) -> None:
    if status in (401, 403):
        raise Unauthorized(status)
    if not 200 <= status < 300:
        raise BadStatus(status)


def _session_id(response: Response) -> bytes | None:
    value = response.header(b"mcp-session-id")
    if value is None:
        return None
    if len(value) > MAX_SESSION_ID or not all(0x21 <= byte <= 0x7E for byte in value):
        raise NotMcp("Its session id is too long or not printable.")
    return value


def _listed(page: dict[str, Any]) -> list[Any]:
    tools = page.get("tools")
    if not isinstance(tools, list):
        raise NotMcp("Its list of tools is no list.")
    return tools


def _object(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""

"""A client of the gateway, in process: one ASGI scope a request."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from gateway import sse
from gateway.app import App

MODERN = "2026-07-28"
PREFIX = "io.modelcontextprotocol/"
MAX_SECONDS = 20


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        """The answer, whichever form it came in."""
        return self.messages[-1]

    @property
    def messages(self) -> list[dict[str, Any]]:
        if self.headers.get("content-type") == "text/event-stream":
            return [json.loads(data) for data in sse.Parser().feed(self.body)]
        return [json.loads(self.body)]

    @property
    def result(self) -> dict[str, Any]:
        assert "result" in self.message, self.message
        return self.message["result"]  # type: ignore[no-any-return]

    @property
    def error(self) -> dict[str, Any]:
        assert "error" in self.message, self.message
        return self.message["error"]  # type: ignore[no-any-return]

    @property
    def text(self) -> str:
        return self.result["content"][0]["text"]  # type: ignore[no-any-return]


class Pending:
    """A request on its way: what came so far, and the client's end of the line."""

    def __init__(self, app: App, scope: dict[str, Any], body: bytes) -> None:
        self._gone = asyncio.Event()
        self._sent = False
        self._body = body
        self.pieces: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.slow: asyncio.Event | None = None
        self.task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if self.slow is not None:
            await self.slow.wait()
        self.pieces.put_nowait(message)

    def disconnect(self) -> None:
        self._gone.set()

    async def begun(self) -> None:
        """Until something of the answer is there."""
        async with asyncio.timeout(MAX_SECONDS):
            while self.pieces.empty():
                await asyncio.sleep(0.01)

    async def answer(self) -> Answer:
        async with asyncio.timeout(MAX_SECONDS):
            await self.task
        self._gone.set()
        messages = [self.pieces.get_nowait() for _ in range(self.pieces.qsize())]
        start, *bodies = messages
        headers = {k.decode(): v.decode("latin-1") for k, v in start["headers"]}
        assert bodies and not bodies[-1].get("more_body"), "the answer broke off"
        return Answer(start["status"], headers, b"".join(one["body"] for one in bodies))


@dataclass
class Client:
    """`era` decides what is sent besides what a test says."""

    app: App
    path: str
    token: str
    era: str = "modern"
    session: str = ""
    revision: str = "2025-11-25"
    info: dict[str, Any] = field(default_factory=lambda: {"name": "tester"})
    capabilities: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    async def request(self, method: str, params: Any = None, **more: Any) -> Answer:
        return await self.begin(method, params, **more).answer()

    def begin(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        id: Any = None,
        headers: dict[str, str | None] | None = None,
    ) -> Pending:
        self.count += 1
        params = dict(params or {})
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if id is not False:
            message["id"] = self.count if id is None else id
        if self.era == "modern":
            params["_meta"] = self.meta() | params.get("_meta", {})
        message["params"] = params
        body = json.dumps(message, separators=(",", ":")).encode()
        return self.send(body, self.mirrors(method, params) | (headers or {}))

    def meta(self) -> dict[str, Any]:
        return {
            PREFIX + "protocolVersion": MODERN,
            PREFIX + "clientCapabilities": self.capabilities,
            PREFIX + "clientInfo": self.info,
        }

    def mirrors(self, method: str, params: dict[str, Any]) -> dict[str, str | None]:
        if self.era == "legacy":
            found: dict[str, str | None] = {}
            if self.session:
                found["mcp-protocol-version"] = self.revision
                found["mcp-session-id"] = self.session
            return found
        found = {"mcp-protocol-version": MODERN, "mcp-method": method}
        name = params.get("uri") if method == "resources/read" else params.get("name")
        if method in ("tools/call", "prompts/get", "resources/read"):
            found["mcp-name"] = name
        elif "taskId" in params:
            found["mcp-name"] = params["taskId"]
        return found

    def send(
        self,
        body: bytes,
        headers: dict[str, str | None] | None = None,
        *,
        verb: str = "POST",
        raw: list[tuple[bytes, bytes]] | None = None,
    ) -> Pending:
        """Any bytes with any headers; a header that is None is left out."""
        given: dict[str, str | None] = {
            "host": "127.0.0.1",
            "authorization": f"Bearer {self.token}",
            "content-type": "application/json",
            "content-length": str(len(body)),
            "accept": "application/json, text/event-stream",
        }
        sent = [
            (name.encode(), value.encode("latin-1"))
            for name, value in (given | (headers or {})).items()
            if value is not None
        ]
        scope = {
            "type": "http",
            "method": verb,
            "path": self.path,
            "headers": [*sent, *(raw or [])],
        }
        return Pending(self.app, scope, body)

    async def call(self, name: str, arguments: Any = None, **more: Any) -> Answer:
        params: dict[str, Any] = {"name": name, "arguments": arguments or {}}
        return await self.request("tools/call", params, **more)

    async def initialize(self) -> Answer:
        params = {
            "protocolVersion": self.revision,
            "capabilities": self.capabilities,
            "clientInfo": self.info | {"version": "1"},
        }
        answer = await self.request("initialize", params)
        self.session = answer.headers.get("mcp-session-id", "")
        return answer

    async def listed(self, items: str = "tools") -> list[str]:
        key = {"resources": "uri", "resourceTemplates": "uriTemplate"}
        method = {"resourceTemplates": "resources/templates/list"}
        answer = await self.request(method.get(items, f"{items}/list"))
        return [one[key.get(items, "name")] for one in answer.result[items]]

"""An MCP server in a thread that says whatever a test wants it to say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

MODERN = "2026-07-28"
Reply = tuple[int, str, bytes]


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}} | more


class Upstream:
    """`answers` replaces what is answered to a method: (status, content type, body)."""

    def __init__(self) -> None:
        self.url = ""
        self.modern = True
        self.handshakes = ["2025-11-25", "2025-06-18", "2025-03-26"]
        self.tools: list[Any] = [tool("read_file"), tool("write_file")]
        self.page = 1000
        self.stream = False
        self.session: str | None = "session-1"
        self.required: dict[str, str] = {}
        self.answers: dict[str, Callable[[dict[str, Any]], Reply]] = {}
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    def methods(self) -> list[str]:
        return [method for _, method, _ in self.seen]

    def reply(self, message: dict[str, Any]) -> Reply:
        method, params = message["method"], message.get("params", {})
        if method in self.answers:
            return self.answers[method](message)
        if "id" not in message:
            return 202, "", b""
        result = getattr(self, "on_" + method.replace("/", "_"))(params)
        if isinstance(result, str):
            return 400, "application/json", error(message, -32600, result)
        return self.wrapped(message, result)

    def wrapped(self, message: dict[str, Any], result: Any) -> Reply:
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result})
        if not self.stream:
            return 200, "application/json", body.encode()
        note = '{"jsonrpc":"2.0","method":"notifications/message","params":{}}'
        events = (
            f": hello\r\n\r\nevent: message\r\ndata: {note}\r\n\r\ndata: {body}\n\n"
        )
        return 200, "text/event-stream; charset=utf-8", events.encode()

    def on_server_discover(self, params: dict[str, Any]) -> Any:
        if not self.modern:
            return "Bad Request: no session"
        return {
            "supportedVersions": [MODERN],
            "capabilities": {"tools": {}},
            "instructions": "Be kind",
            "_meta": {"io.modelcontextprotocol/serverInfo": self.info},
        }

    info = {"name": "fake", "version": "1.2"}

    def on_initialize(self, params: dict[str, Any]) -> Any:
        if params["protocolVersion"] not in self.handshakes:
            return "Unsupported protocol version"
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": self.info,
            "instructions": "Be kind",
        }

    def on_tools_list(self, params: dict[str, Any]) -> Any:
        start = int(params.get("cursor", 0))
        page = {"tools": self.tools[start : start + self.page]}
        more = start + self.page < len(self.tools)
        return page | ({"nextCursor": str(start + self.page)} if more else {})


def error(message: dict[str, Any], code: int, text: str, data: Any = None) -> bytes:
    body = {"code": code, "message": text} | ({"data": data} if data else {})
    answer = {"jsonrpc": "2.0", "id": message.get("id"), "error": body}
    return json.dumps(answer).encode()


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            message = json.loads(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            upstream.seen.append(("POST", message["method"], headers))
            if any(headers.get(k) != v for k, v in upstream.required.items()):
                self.answer(401, "", b"", None)
                return
            session = upstream.session if message["method"] == "initialize" else None
            self.answer(*upstream.reply(message), session)

        def do_DELETE(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            upstream.seen.append(("DELETE", "DELETE", headers))
            self.answer(200, "", b"", None)

        def answer(
            self, status: int, kind: str, body: bytes, session: str | None
        ) -> None:
            self.send_response(status)
            if kind:
                self.send_header("Content-Type", kind)
            if session:
                self.send_header("Mcp-Session-Id", session)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: what was asked is in `seen`."""

    return Handler


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(upstream))
    server.daemon_threads = True
    upstream.url = f"http://127.0.0.1:{server.server_port}/mcp"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

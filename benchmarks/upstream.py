"""A fixed-answer MCP server (2026-07-28) that costs little: what is measured is
what stands before it. `python -m benchmarks.upstream PORT`."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any, cast

import httptools
import uvloop

REQUEST_ID = re.compile(rb'"id":("[^"]*"|\d+)')
METHOD = re.compile(rb'"method":"([^"]*)"')
META = {"io.modelcontextprotocol/serverInfo": {"name": "fixed", "version": "1"}}
TOOL = {
    "name": "create_refund",
    "description": "Refunds a charge",
    "inputSchema": {
        "type": "object",
        "properties": {
            "charge": {"type": "string"},
            "amount": {"type": "integer", "minimum": 1},
            "currency": {"type": "string"},
            "note": {"type": "string"},
            "account": {"type": "string"},
        },
        "required": ["charge", "amount", "currency"],
    },
}


def _result(**content: Any) -> bytes:
    whole = {"resultType": "complete", "_meta": META, **content}
    return json.dumps(whole, separators=(",", ":")).encode()


RESULTS = {
    b"server/discover": _result(
        supportedVersions=["2026-07-28"],
        capabilities={"tools": {}},
        ttlMs=0,
        cacheScope="private",
    ),
    b"tools/list": _result(tools=[TOOL], ttlMs=0, cacheScope="private"),
    b"tools/call": _result(
        content=[{"type": "text", "text": "refunded " + "x" * 800}], isError=False
    ),
}


class Upstream(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.parser = httptools.HttpRequestParser(self)
        self.body = b""

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.body = b""

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        request_id, method = REQUEST_ID.search(self.body), METHOD.search(self.body)
        if request_id is None or method is None:
            self.transport.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            return
        answer = b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (
            request_id[1],
            RESULTS.get(method[1], b"{}"),
        )
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(answer), answer)
        )


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))

"""Closed-loop load on loopback: each connection sends its next call when the last
was answered. `python -m benchmarks.load PORT PATH TOKEN CONNECTIONS SECONDS`
prints one JSON line: calls, seconds, failed, p50 and p99 in milliseconds."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from typing import cast

import uvloop

VERSION = b"2026-07-28"
BODY = (
    b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"create_refund",'
    b'"arguments":{"charge":"ch_3PqLkj2eZvKYlo2C","amount":1200,"currency":"usd",'
    b'"note":"Customer returned the goods within the period","account":"acct_81"},'
    b'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
    b'"io.modelcontextprotocol/clientCapabilities":{},'
    b'"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}}}'
)
IDS = itertools.count(10_000_000)  # eight digits: every body has one length
END = b"\r\n\r\n"


def request_head(path: str, token: str) -> bytes:
    length = len(BODY % 10_000_000)
    return (
        b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n"
        b"Content-Type: application/json\r\nAccept: application/json,"
        b" text/event-stream\r\nMCP-Protocol-Version: %b\r\nMcp-Method: tools/call\r\n"
        b"Mcp-Name: create_refund\r\nContent-Length: %d\r\n\r\n"
        % (path.encode(), token.encode(), VERSION, length)
    )


class Caller(asyncio.Protocol):
    """One connection; `until` is the monotonic time after which it sends no more."""

    def __init__(self, head: bytes, until: float, taken: list[float]) -> None:
        self.head, self.until, self.taken = head, until, taken
        self.failed = 0
        self.buffer = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.send()

    def send(self) -> None:
        self.began = time.perf_counter()
        if self.began >= self.until:
            self.transport.close()
            return
        self.transport.write(self.head + BODY % next(IDS))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(END)
        if not found or not self.complete(head.lower(), body):
            return
        self.taken.append(time.perf_counter() - self.began)
        if b" 200 " not in head[:16] or b'"isError":false' not in body:
            self.failed += 1
        self.buffer = b""
        self.send()

    def complete(self, head: bytes, body: bytes) -> bool:
        start = head.find(b"content-length:")
        if start < 0:
            return body.endswith(b"0" + END)
        end = head.find(b"\r\n", start)
        return len(body) >= int(head[start + 15 : None if end < 0 else end])

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def run(
    port: int, path: str, token: str, connections: int, seconds: float
) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    taken: list[float] = []
    head = request_head(path, token)
    callers = [Caller(head, began + seconds, taken) for _ in range(connections)]
    for caller in callers:
        await loop.create_connection(lambda c=caller: c, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.wait_for(asyncio.gather(*(c.done for c in callers)), seconds + 15)
    elapsed = time.perf_counter() - began
    taken.sort()
    return {
        "calls": len(taken),
        "seconds": elapsed,
        "failed": sum(caller.failed for caller in callers),
        "p50": taken[len(taken) // 2] * 1000 if taken else 0.0,
        "p99": taken[int(len(taken) * 0.99)] * 1000 if taken else 0.0,
    }


if __name__ == "__main__":
    port, path, token, connections, seconds = sys.argv[1:]
    print(
        json.dumps(
            uvloop.run(run(int(port), path, token, int(connections), float(seconds)))
        )
    )

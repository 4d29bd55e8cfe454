"""The gateway's ASGI callable: one exchange a request, outside Django's handler."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

import orjson

from gateway import files, pipeline
from gateway.exchange import JSON, Asgi, Edge, Exchange
from gateway.heads import Head, Heads
from gateway.state import Gateway

log = logging.getLogger(__name__)
HEALTH = "/mcp/health"


class Call(Edge, Protocol):
    """A request of such an edge. `whole_body` is None where it is still to come or
    large; `head` is None where it did not come in one piece with the body; `answer`
    sends JSON with status 200, unless it says that it did not."""

    path: str
    fields: Sequence[tuple[bytes, bytes]]
    whole_body: bytes | None
    head: Head | None

    def answer(self, body: bytes) -> bool: ...


class App:
    """`state` belongs to the event loop that runs: it is made at the first use.
    `heads` are those that passed its settings."""

    def __init__(self) -> None:
        self.state: Gateway | None = None
        self.heads = Heads()
        self._starting: asyncio.Task[Gateway] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        state = self.state or await self._started()
        if scope["path"] == HEALTH:
            await _health(state, send)
            return
        path, fields = scope["path"], scope["headers"]
        x = Exchange(state, path, fields, Asgi(receive, send))
        x.verb = scope["method"]
        state.watch.add(x)
        await pipeline.begin(x)

    def begin(self, call: Call) -> Coroutine[Any, Any, None] | None:
        """A POST from an edge that knows more than ASGI tells; None where it must be
        told by ASGI after all."""
        if self.state is None or call.path == HEALTH:
            return None
        x = Exchange(self.state, call.path, call.fields, call)
        x.body, x.head, x.whole = call.whole_body, call.head, call.answer
        self.state.watch.add(x)
        return pipeline.begin(x)

    async def _started(self) -> Gateway:
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())
        return await asyncio.shield(self._starting)

    async def _start(self) -> Gateway:
        state = Gateway(pipeline.rerun, self.heads)
        await state.start()
        self.state = state
        return state

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        files.allow_many()
        await self._started()
        _spare_the_collector()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def close(self) -> None:
        state, self.state, self._starting = self.state, None, None
        self.heads.clear()
        if state is not None:
            await state.close()


def _spare_the_collector() -> None:
    """What is loaded by now stays: walking it again and again would hold the loop up
    for tens of milliseconds."""
    gc.collect()
    gc.freeze()
    # Calls leave no rings behind, so the youngest need not be looked at often either.
    gc.set_threshold(100_000, 20, 50)


async def _health(state: Gateway, send: Any) -> None:
    """Not ready: the load balancer must not send calls, which would be refused."""
    problem = state.valkey.problem
    body = orjson.dumps({"status": problem or "ready"})
    status = 503 if problem else 200
    headers = [JSON, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


gateway = App()

"""Sessions with servers of the handshake era.

Never shared between grants. A client of the same era has one of its own, sealed into
its session id; all stateless clients of a grant use one, kept in Valkey (sealed, too)
and opened by whichever process holds the lease.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import orjson

from accounts.keys import tag
from gateway import bridge, eras, jsonrpc, sse, strictjson
from gateway.errors import Lost, UpstreamFault
from gateway.keys import NotOurs
from gateway.sessions import MAX_UPSTREAM
from gateway.snapshot import Rights, Snapshot
from servers.addresses import Target
from servers.failures import NotSent, WireError
from servers.http1 import Deadlines, Headers, Response
from servers.http_request import write_head

if TYPE_CHECKING:
    from gateway.state import Gateway

OPENING = Deadlines(connect=5.0, first_byte=10.0, idle=10.0, total=15.0)
LEASE_SECONDS = 20
POLL_SECONDS = 0.05
KEPT_SECONDS = 24 * 3600
MAX_ANSWER = 1024 * 1024
_USE = b"bridge session"


@dataclass(slots=True, frozen=True)
class Opened:
    """`id` is "" where the server keeps no sessions."""

    id: str
    revision: str
    capabilities: dict[str, Any]


def headers(rights: Rights, opened: Opened | None) -> Headers:
    found = list(rights.upstream.headers)
    if opened is not None:
        found.append((b"mcp-protocol-version", opened.revision.encode()))
        if opened.id:
            found.append((b"mcp-session-id", opened.id.encode()))
    return found


async def open_session(
    gateway: Gateway, rights: Rights, revision: str = eras.NEWEST_LEGACY
) -> Opened:
    """`initialize` and `notifications/initialized`. Raises UpstreamFault."""
    params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": bridge.US}
    body = jsonrpc.request("initialize", "initialize", params)
    response = await post(gateway, rights, headers(rights, None), body, OPENING)
    try:
        result = await _result(response)
        opened = _opened(response, result)
    finally:
        response.close()
    await tell(gateway, rights, opened, "notifications/initialized", {})
    return opened


async def post(
    gateway: Gateway,
    rights: Rights,
    headers: Headers | bytes,
    body: bytes,
    within: Deadlines,
    on_sent: Callable[[], None] | None = None,
) -> Response:
    """`headers` may be what `head` gave. Raises Lost where it was sent, UpstreamFault
    where it was not."""
    target = rights.upstream.target
    if target is None:
        raise UpstreamFault(rights.upstream.refused, sent=False)
    try:
        if type(headers) is not bytes:
            headers = head(target, cast(Headers, headers))
        return await gateway.pool.request(
            target, "POST", target.path, headers, body, within, on_sent
        )
    except NotSent as error:
        text = f"The server cannot be reached: {error.reason}"
        raise UpstreamFault(text, sent=False) from None
    except WireError as error:
        raise Lost(error.reason) from None
    except ValueError as error:
        raise UpstreamFault(
            f"The request cannot be sent: {error}", sent=False
        ) from None


def head(target: Target, headers: Headers) -> bytes:
    """The head of every POST with these headers. Raises ValueError for such as cannot
    be sent."""
    return write_head(target, "POST", target.path, [*_MEDIA, *headers])


_MEDIA = (
    (b"content-type", b"application/json"),
    (b"accept", b"application/json, text/event-stream"),
    (b"user-agent", b"PolicyLayer"),
)


async def tell(
    gateway: Gateway,
    rights: Rights,
    opened: Opened,
    method: str,
    params: dict[str, Any],
) -> None:
    """A notification; that it was taken is all there is to know."""
    body = jsonrpc.notification(method, params)
    response = await post(gateway, rights, headers(rights, opened), body, OPENING)
    response.close()


def cancelled(id: jsonrpc.Id | None) -> bytes:
    params = {"requestId": id, "reason": "The client cancelled the request"}
    return jsonrpc.notification("notifications/cancelled", params)


async def end_session(gateway: Gateway, rights: Rights, opened: Opened) -> None:
    """DELETE; a server may refuse it. Raises WireError."""
    target = rights.upstream.target
    if target is not None and opened.id:
        response = await gateway.pool.request(
            target, "DELETE", target.path, headers(rights, opened), b"", OPENING
        )
        response.close()


async def _result(response: Response) -> dict[str, Any]:
    """The result of `initialize`, in either form of answer."""
    if response.status != 200:
        raise UpstreamFault(refusal(response.status))
    try:
        async for raw in messages(response):
            value = strictjson.loads(raw)
            if isinstance(value, dict) and value.get("id") == "initialize":
                if isinstance(value.get("result"), dict):
                    return value["result"]  # type: ignore[no-any-return]
                raise UpstreamFault(f"The server refused to begin: {_words(value)}")
    except (WireError, strictjson.BadJSON, sse.EventTooLarge) as error:
        raise UpstreamFault(f"The server did not begin a session: {error}") from None
    raise UpstreamFault("The server did not answer initialize")


def _words(value: dict[str, Any]) -> str:
    error = value.get("error")
    return str(error.get("message", ""))[:500] if isinstance(error, dict) else ""


async def messages(response: Response) -> Any:
    """The messages of a small answer."""
    if response.content_type == "application/json":
        yield await response.read(MAX_ANSWER)
        return
    if response.content_type != "text/event-stream":
        raise UpstreamFault("The server answers neither JSON nor a stream of events")
    parser = sse.Parser()
    async for piece in response.chunks():
        for data in parser.feed(piece):
            yield data


def _opened(response: Response, result: dict[str, Any]) -> Opened:
    revision = result.get("protocolVersion")
    if revision not in eras.LEGACY:
        raise UpstreamFault(
            f"The server speaks revision {str(revision)[:40]!r}, which is not supported"
        )
    id = (response.header(b"mcp-session-id") or b"").decode("latin-1")
    if len(id) > MAX_UPSTREAM or not id.isascii() or (id and not id.isprintable()):
        raise UpstreamFault("The server's session id is too long or malformed")
    told = result.get("capabilities")
    return Opened(id, revision, told if isinstance(told, dict) else {})


def refusal(status: int) -> str:
    """What a status of the server means to people."""
    if status in (401, 403):
        return (
            f"The server refuses the gateway's credentials ({status}): a person must"
            " renew them on the server's page"
        )
    if status == 404:
        return "The server has nothing at its URL (404), or ended the session"
    if status == 429:
        return "The server is asked too often (429): try again later"
    return f"The server answers with HTTP status {status}"


class Bridge:
    """One session a grant, for its stateless clients."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: dict[bytes, Opened] = {}
        self._opening: dict[bytes, asyncio.Task[Opened]] = {}

    async def get(self, snapshot: Snapshot, dead: Opened | None = None) -> Opened:
        """`dead` is one that the server does not know any more: another is found, or
        opened. Raises UpstreamFault and ValkeyDown."""
        key = _key(snapshot.rights)
        known = self._known.get(key)
        if known is not None and known != dead:
            return known
        task = self._opening.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(
                self._find(key, snapshot, dead)
            )
            self._opening[key] = task
            task.add_done_callback(lambda _: self._opening.pop(key, None))
        return await asyncio.shield(task)

    async def _find(
        self, key: bytes, snapshot: Snapshot, dead: Opened | None
    ) -> Opened:
        valkey, lease = self._gateway.valkey, key + b":lease"
        mine = os.urandom(16)
        for _ in range(int(LEASE_SECONDS / POLL_SECONDS)):
            kept = self._unsealed(key, await valkey.command("GET", key))
            if kept is not None and kept != dead:
                return self._remember(key, kept)
            if await valkey.command("SET", lease, mine, "NX", "EX", LEASE_SECONDS):
                kept = self._unsealed(key, await valkey.command("GET", key))
                if kept is not None and kept != dead:
                    await valkey.command("DEL", lease)
                    return self._remember(key, kept)
                return await self._open(key, snapshot.rights, lease)
            await asyncio.sleep(POLL_SECONDS)
        raise UpstreamFault("No session with the server came about", sent=False)

    async def _open(self, key: bytes, rights: Rights, lease: bytes) -> Opened:
        valkey = self._gateway.valkey
        try:
            opened = await open_session(self._gateway, rights)
            sealed = self._gateway.keys.seal(
                _USE + key,
                orjson.dumps([opened.id, opened.revision, opened.capabilities]),
            )
            await valkey.command("SET", key, sealed, "EX", KEPT_SECONDS)
            return self._remember(key, opened)
        except UpstreamFault as fault:
            raise UpstreamFault(fault.text, sent=False, log=fault.log) from None
        finally:
            await valkey.command("DEL", lease)

    def _remember(self, key: bytes, opened: Opened) -> Opened:
        if len(self._known) > 20_000:
            self._known.clear()
        self._known[key] = opened
        return opened

    def _unsealed(self, key: bytes, text: bytes | None) -> Opened | None:
        if text is None:
            return None
        try:
            content = self._gateway.keys.open(_USE + key, text.decode("latin-1"))
        except NotOurs:
            return None
        return Opened(*orjson.loads(content))


def _key(rights: Rights) -> bytes:
    """New credentials are a new session."""
    credential = rights.upstream.credential_id.hex
    return f"{tag(rights.shard)}:bridge:{rights.grant_id.hex}:{credential}".encode()

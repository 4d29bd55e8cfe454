"""The order in which a request is looked at: one literal list.

A stage is a plain function, or a coroutine function where it must wait. It fills in
the exchange and returns nothing; a refusal is raised. The first stage that answers is
the last.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

from gateway import (
    door,
    elicitation,
    ending,
    eras,
    headers,
    jsonrpc,
    local,
    methods,
    notifications,
    own_tool,
    questions,
)
from gateway import upstream as upstreams
from gateway.asking import ask
from gateway.budgets import LARGE
from gateway.eras import Era
from gateway.errors import (
    HeaderMismatch,
    InvalidParams,
    InvalidRequest,
    NoSession,
    NotRelayed,
    Refusal,
    Unauthorized,
    Unavailable,
    Unsupported,
)
from gateway.exchange import Exchange
from gateway.governing import check_place, govern, record_refusal
from gateway.methods import RETURNED
from gateway.relaying import CutOff
from gateway.valkey import ValkeyDown

log = logging.getLogger(__name__)
Stage = Callable[[Exchange], Awaitable[None] | None]
MAX_CLIENT_NAME = 256
PROTOCOL = (
    *(HeaderMismatch, InvalidParams, InvalidRequest),
    *(NoSession, NotRelayed, Unsupported),
)


def read_head(x: Exchange) -> None:
    """All that these bytes decide alone: of a head that came before it is known."""
    head = x.head
    if head is not None and head.headers is not None:
        x.headers, x.digest = head.headers, head.digest
        return
    x.headers = headers.once(x.fields)
    x.gateway.hosts.check(x.headers)
    _check_verb(x)
    x.digest = x.gateway.digest(x.headers)


def _check_verb(x: Exchange) -> None:
    verb = x.verb
    if verb == "POST":
        door.check_post(x.headers)
    elif verb != "DELETE" or headers.SESSION not in x.headers:
        modern = x.headers.get(headers.VERSION) == eras.MODERN_BYTES
        door.refuse_verb(verb, modern)


def check_token(x: Exchange) -> Awaitable[None] | None:
    snapshot = x.gateway.snapshots.get(x.digest, x.since)
    if snapshot is None:
        return _first_seen(x)
    x.snapshot = snapshot
    _check_here(x)
    if (head := x.head) is not None and head.headers is None:
        head.headers, head.digest = x.headers, x.digest
        x.gateway.heads.keep(head)
    return None


async def _first_seen(x: Exchange) -> None:
    snapshot = await x.gateway.snapshots.load(x.digest)
    if snapshot is None:
        raise Unauthorized("unknown token")
    x.snapshot = snapshot
    _check_here(x)


def _check_here(x: Exchange) -> None:
    if x.path[5:] != x.snapshot.rights.public_id:
        raise Unauthorized("token of another endpoint")


def read_body(x: Exchange) -> Awaitable[None] | None:
    if x.verb == "DELETE":
        return None
    if x.body is None or len(x.body) > LARGE:
        return _receive_body(x)
    x.message = jsonrpc.decode(x.body)
    return None


async def _receive_body(x: Exchange) -> None:
    body = await door.body(x.edge.receive)
    x.body_read = True
    if len(body) > LARGE:
        await x.gateway.parsing.turn(x.snapshot.rights.organization_id, len(body))
    x.message = jsonrpc.decode(body)


def check_session(x: Exchange) -> None:
    """Era, revision and session: what the rest of the request is read by."""
    if x.verb == "DELETE":
        _open_session(x)
        return
    message, sent = x.message, x.headers.get(headers.VERSION)
    meta = message.params.get("_meta")
    if not isinstance(meta, dict):
        meta = {}
    if sent == eras.MODERN_BYTES:
        x.era = "modern"  # for the answer, also where the rest contradicts it
    if message.kind == "request":
        x.era = eras.classify(sent, message.method, meta)
    else:
        x.era = eras.classify_notification(sent)
    if x.era == "modern":
        x.revision = eras.MODERN
        x.client = _client_name(meta.get(eras.META_CLIENT))
    elif message.method == "initialize" and message.kind == "request":
        x.revision = eras.negotiated(message.params.get("protocolVersion"))
        x.client = _client_name(message.params.get("clientInfo"))
    else:
        _open_session(x)


def _client_name(info: object) -> str:
    name = info.get("name") if isinstance(info, dict) else None
    return name[:MAX_CLIENT_NAME] if isinstance(name, str) else ""


def _open_session(x: Exchange) -> None:
    text = x.headers.get(headers.SESSION)
    if text is None:
        raise InvalidRequest("Mcp-Session-Id is missing: initialize first")
    x.session = x.gateway.session(text.decode("latin-1"))
    x.revision, x.client = x.session.revision, x.session.client_name
    check_place(x)


def take_others(x: Exchange) -> Awaitable[None] | None:
    """Notifications, responses and the end of a session are answered here."""
    if x.verb == "DELETE":
        return notifications.end_session(x)
    return None if x.message.kind == "request" else notifications.accept(x)


def check_method(x: Exchange) -> None:
    message = x.message
    x.method = methods.find(message.method, x.era)
    methods.check_params(x.method, message.params)
    key = x.method.name_key
    if key is not None:
        x.name = message.params[key]
        if x.method.kind in ASKED and not RETURNED.isdisjoint(message.params):
            _take_returned(x)
        elif x.name == own_tool.NAME:
            _take_our_own(x)
    elif x.method.kind == "completion":
        x.name = _reference(message.params["ref"])


ASKED = frozenset({"tool", "resource", "prompt"})


def _take_returned(x: Exchange) -> None:
    """What the client was given to call again with is ours, and goes no further."""
    params = x.message.params
    if x.era == "legacy":
        raise InvalidParams(methods.unknown(min(RETURNED & set(params))))
    keys, now = x.gateway.keys, time.time()
    x.returned = elicitation.returned(keys, params, questions.bound(x), now)
    for key in RETURNED:
        params.pop(key, None)


def _take_our_own(x: Exchange) -> None:
    if x.method.kind == "tool" and x.snapshot.rights.helper_tool:
        x.method = methods.HELPER


REFERENCES = {
    "ref/prompt": ("name", frozenset({"type", "name", "title"})),
    "ref/resource": ("uri", frozenset({"type", "uri"})),
}


def _reference(ref: dict[str, Any]) -> str:
    kind = ref.get("type")
    key, known = REFERENCES.get(
        kind if isinstance(kind, str) else "", ("", frozenset())
    )
    name = ref.get(key)
    if not isinstance(name, str) or not known.issuperset(ref):
        raise InvalidParams("params.ref names neither a prompt nor a resource")
    return name


def check_mirrors(x: Exchange) -> None:
    method, modern = x.method, x.era == "modern"
    name = x.name if method.mirrored else None
    headers.check_mirrors(x.headers, x.message.method, name, required=modern)
    if modern and method.kind == "tool":
        pin = x.snapshot.rights.tools.get(x.name)
        if pin is not None and pin.mirrored:
            arguments = x.message.params.get("arguments", {})
            headers.check_params(x.headers, pin.mirrored, arguments)
    elif method.kind == "task":
        x.name = ""  # the client's secret, which nobody needs to read in a log


def check_flight(x: Exchange) -> None:
    """An id names one request of a session at a time."""
    if x.session is None:
        return
    id = x.message.id
    assert id is not None
    flight = (x.session.hash, type(id), id)
    if flight in x.gateway.flights:
        raise InvalidRequest("A request with this id is still being answered")
    x.gateway.flights[flight] = x
    x.flight = flight


def answer(x: Exchange) -> Awaitable[None]:
    if x.decision.decision != "allow":
        return local.refuse(x)
    if x.method.kind in local.KINDS:
        return local.answer(x)
    return upstreams.forward(x)


STAGES: tuple[Stage, ...] = (
    read_head,  # nothing twice; Host and Origin are ours; POST of JSON, or DELETE
    check_token,  # the grant, and its snapshot
    read_body,  # at most 1 MiB; one strict JSON-RPC message
    check_session,  # which era, whose session
    take_others,  # notifications: the generation alone is checked
    check_method,  # what is not relayed is refused
    check_mirrors,  # headers say what the body says
    check_flight,  # the id is free
    govern,  # judged, counted, recorded: one round trip
    ask,  # where a rule asks people: they are asked, and waited for
    answer,  # by us, or by the server
)


def begin(x: Exchange) -> Coroutine[Any, Any, None]:
    """Runs the stages up to the first that waits, which needs no task yet. What is
    left of them is to be awaited."""
    left = iter(STAGES)
    try:
        for stage in left:
            if (waiting := stage(x)) is not None:
                return _rest(x, waiting, left)
    except Exception as error:  # noqa: BLE001 it is answered where all are
        return _rest(x, _raised(error), left)
    raise AssertionError("the last stage waits")


def rerun(x: Exchange) -> Coroutine[Any, Any, None]:
    """A call that nobody sends now: judged, and run by its approval."""
    return _rest(x, govern(x), iter((ask, answer)))


async def _raised(error: Exception) -> None:
    raise error


async def _rest(x: Exchange, waiting: Awaitable[None], left: Iterator[Stage]) -> None:
    """Every exception becomes an answer here, and only here."""
    x.task = asyncio.current_task()
    try:
        await waiting
        for stage in left:
            if x.answered:
                return
            going = stage(x)
            if going is not None:
                await going
    except Refusal as refusal:
        await _refused(x, await _recorded(x, refusal))
    except ValkeyDown as down:
        await _refused(x, _valkey_down(down))
    except (door.Gone, CutOff):
        return
    except asyncio.CancelledError:
        if not x.cancelled and not x.ending:
            raise
        await _cancelled(x)
    except Exception as error:  # noqa: BLE001 the last line: what fails is refused
        log.exception("refused after a fault of ours")
        await _refused(x, Unavailable(FAULT, log=repr(error)))
    finally:
        x.gateway.done(x)


async def _recorded(x: Exchange, refusal: Refusal) -> Refusal:
    """Puts what breaks the protocol on record where a grant asked it; gives the
    refusal to answer with, which is another one where that did not work."""
    message = getattr(x, "message", None)
    if not isinstance(refusal, PROTOCOL) or hasattr(x, "decision"):
        return refusal
    if message is None or message.kind != "request":
        return refusal
    try:
        await record_refusal(x, refusal.text)
    except Refusal as other:
        return other
    except ValkeyDown as down:
        return _valkey_down(down)
    return refusal


def _valkey_down(down: ValkeyDown) -> Unavailable:
    log.warning("refused: %s", down)
    return Unavailable(VALKEY_DOWN, log=str(down))


async def _cancelled(x: Exchange) -> None:
    """Cancelled by the client, who expects no answer; its connection may live on.
    JSON that broke off is no answer: what ends it is the connection's end."""
    if x.task is not None:
        x.task.uncancel()
    if x.ending:
        await _ended(x)
    elif x.gone or x.answered:
        return
    elif x.streaming:
        await x.piece(b"", last=True)
    elif not x.started:
        await x.reply(202, b"", ())


async def _ended(x: Exchange) -> None:
    try:
        await ending.answer(x)
    except Refusal as refusal:
        await _refused(x, refusal)
    except CutOff:
        return


FAULT = "PolicyLayer failed to handle this request. Tell the operator."
VALKEY_DOWN = (
    "PolicyLayer cannot check its limits and keep its record at the moment, so nothing"
    " was executed. Try again in a few seconds."
)


async def _refused(x: Exchange, refusal: Refusal) -> None:
    if x.answered or (x.started and not x.streaming):
        return
    snapshot = getattr(x, "snapshot", None)
    if snapshot is not None and snapshot.void(time.time()):
        refusal = Unauthorized(refusal.log)
    message = getattr(x, "message", None)
    id = message.id if message is not None and message.kind == "request" else None
    body = jsonrpc.error(id, refusal.code, refusal.text, refusal.data)
    x.extra = (*x.extra, *refusal.headers)
    await x.reply(_status(refusal, x.era, id is not None), body)


def _status(refusal: Refusal, era: Era, asked: bool) -> int:
    """A client that has asked nothing yet is told by status; in the handshake era
    errors of a method are answered with 200."""
    if isinstance(refusal, Unavailable) and not asked:
        return 503
    if era == "legacy" and refusal.legacy_status is not None:
        return refusal.legacy_status
    return refusal.status

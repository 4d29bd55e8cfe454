"""Reading what a server sends as the answer to one request. Pure.

The answer is a stream of messages, be it one JSON body or many events: notifications
that may be passed on, questions that are declined, and the one answer that carries our
id. Anything else is dropped; what comes after the answer is not read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from gateway import bridge, jsonrpc, strictjson
from gateway.eras import Era
from gateway.errors import INTERNAL_ERROR, UpstreamFault
from gateway.jsonrpc import Id
from policies.decision import make

Status = Literal["ok", "tool_error", "error", "not_inspected"]
Page = Callable[[dict[str, Any]], dict[str, Any]]
CHANGES = frozenset(
    {"notifications/tools/list_changed", "notifications/resources/list_changed"}
)


class Plan(NamedTuple):
    """How an answer is known and what becomes of it. `sent` is the id upstream, `id`
    the client's; `progress` their token and the client's."""

    sent: Id
    id: Id
    method: str
    client: Era
    upstream: Era
    server: str
    progress: tuple[Id, Id] | None = None
    page: Page | None = None
    # What we said ourselves of its progress: what follows must be more.
    progressed: float = 0.0

    @property
    def verbatim(self) -> bool:
        """A good answer goes down byte for byte."""
        return (
            self.page is None
            and type(self.sent) is type(self.id)
            and self.sent == self.id
            and not bridge.needs_change(self.method, self.client, self.upstream)
        )


class Event(NamedTuple):
    """`final`: `body` answers the request. `relay`: pass `body` on. `reply`: POST
    `body` to the server, which asked something. `changed`: a list changed."""

    kind: Literal["final", "relay", "reply", "changed", "drop"]
    body: bytes = b""
    status: Status = "ok"
    code: int | None = None


DROPPED, CHANGED = Event("drop"), Event("changed")


def read(plan: Plan, raw: bytes) -> Event:
    """One message of the server. Raises UpstreamFault for what is no message."""
    try:
        value = strictjson.loads(raw)
    except strictjson.BadJSON as error:
        raise UpstreamFault(
            "The server's answer is no valid JSON", log=str(error)
        ) from None
    if not isinstance(value, dict):
        raise UpstreamFault("The server's answer is no JSON-RPC message")
    if "method" in value:
        return _other(plan, value)
    if not _same(value.get("id"), plan.sent):
        return DROPPED
    return _final(plan, value, raw)


def _same(left: object, right: object) -> bool:
    return type(left) is type(right) and left == right


def _final(plan: Plan, value: dict[str, Any], raw: bytes) -> Event:
    try:
        if "error" in value:
            return _error(plan, value["error"])
        result = value.get("result")
        if not isinstance(result, dict):
            raise UpstreamFault("The server's answer holds neither result nor error")
        return _result(plan, result, raw)
    except bridge.Asks as asks:
        return refused(plan, str(asks))


def _result(plan: Plan, result: dict[str, Any], raw: bytes) -> Event:
    failed = plan.method == "tools/call" and result.get("isError") is True
    status: Status = "tool_error" if failed else "ok"
    if plan.verbatim and result.get("resultType", "complete") == "complete":
        return make(Event, ("final", raw, status, None))
    result = bridge.result_down(
        plan.method, result, plan.client, plan.upstream, plan.server
    )
    if plan.page is not None:
        result = plan.page(result)
    return Event("final", jsonrpc.result(plan.id, result), status)


def _error(plan: Plan, error: Any) -> Event:
    told = bridge.error_down(error, plan.client, plan.upstream)
    body = jsonrpc.error(plan.id, told["code"], told["message"], told.get("data"))
    return Event("final", body, "error", told["code"])


def refused(plan: Plan, words: str) -> Event:
    """The request failed on the way, not by policy; a model should read why."""
    if plan.method == "tools/call":
        result: dict[str, Any] = {
            "content": [{"type": "text", "text": words}],
            "isError": True,
        }
        if plan.client == "modern":
            result["resultType"] = "complete"
        return Event("final", jsonrpc.result(plan.id, result), "error", INTERNAL_ERROR)
    body = jsonrpc.error(plan.id, INTERNAL_ERROR, words)
    return Event("final", body, "error", INTERNAL_ERROR)


def _other(plan: Plan, value: dict[str, Any]) -> Event:
    method = value["method"]
    if not isinstance(method, str):
        return DROPPED
    if "id" in value:
        return _question(value["id"], method)
    if method in CHANGES:
        return CHANGED
    params = value.get("params")
    if method == "notifications/progress" and isinstance(params, dict):
        return _progress(plan, params)
    if method == "notifications/message" and isinstance(params, dict):
        return Event("relay", jsonrpc.notification(method, params))
    return DROPPED


def _question(id: Any, method: str) -> Event:
    if not isinstance(id, str | int):
        return DROPPED
    answer = {"jsonrpc": "2.0", "id": id} | bridge.declined(method)
    return Event("reply", strictjson.dumps(answer))


def _progress(plan: Plan, params: dict[str, Any]) -> Event:
    if plan.progress is None:
        return DROPPED
    theirs, ours = plan.progress
    if not _same(params.get("progressToken"), theirs):
        return DROPPED
    if plan.progressed and not _more(params.get("progress"), plan.progressed):
        return DROPPED
    told = params | {"progressToken": ours}
    return Event("relay", jsonrpc.notification("notifications/progress", told))


def _more(progress: Any, than: float) -> bool:
    """A number whose digits matter is no float here, but reads as one."""
    try:
        return float(str(progress)) > than
    except ValueError:
        return False

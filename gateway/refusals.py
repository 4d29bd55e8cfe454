"""What a client is told of a call that does not run. Pure.

The texts are written for a model: what happened, why, and what to do next. Unknown,
hidden and default-denied things get one and the same answer, without a decision id:
nothing may tell them apart.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway import jsonrpc
from gateway.eras import Era
from gateway.errors import DENIED, INVALID_PARAMS, RESOURCE_NOT_FOUND
from gateway.jsonrpc import Id
from policies.decision import Decision

META = "io.policylayer/"
WHY = {
    "(killed)": (
        "All calls of this grant are stopped by a kill switch at the moment.",
        "Do not retry; tell the user.",
    ),
    "(no policy)": (
        "This grant has no policy yet, so nothing is allowed.",
        "Ask the user to have a policy attached to the grant.",
    ),
    "(changed tool)": (
        "The server changed this tool's definition, and the tool is held until a"
        " person has looked at the change.",
        "Do not retry; tell the user.",
    ),
    "(arguments)": (
        "The arguments do not satisfy the tool's input schema.",
        "Correct the arguments and call again.",
    ),
    "(bad URI)": (
        "The URI is malformed.",
        "Correct the URI and try again.",
    ),
    "(too large)": (
        "The call is too large to be checked.",
        "Send less at once.",
    ),
}


def answer(
    decision: Decision,
    *,
    call: UUID,
    id: Id,
    kind: str,
    name: str,
    era: Era,
    retry_after: int | None,
    note: str = "",
) -> bytes:
    """The whole JSON-RPC answer to a refused request; `note` is said besides."""
    if decision.decision == "hide":
        return _unknown(id, kind, name, era)
    words = text(decision, call, retry_after, note)
    meta = _meta(decision, call, retry_after)
    return _answer(words, meta, id, kind, era)


def waits(words: str, meta: dict[str, Any], *, id: Id, kind: str, era: Era) -> bytes:
    """The answer to a request that people are, or were, asked about."""
    known = (("rule", "rule"), ("approval", "approvalId"), ("decision", "decisionId"))
    said = [f"{name} {meta[META + key]}" for name, key in known if meta.get(META + key)]
    return _answer(f"{words} ({', '.join(said)})", meta, id, kind, era)


def _answer(words: str, meta: dict[str, Any], id: Id, kind: str, era: Era) -> bytes:
    if kind == "tool":
        return jsonrpc.result(id, tool_error(words, meta, era))
    return jsonrpc.error(id, DENIED, words, meta)


def _unknown(id: Id, kind: str, name: str, era: Era) -> bytes:
    if kind == "tool":
        return jsonrpc.error(id, INVALID_PARAMS, f"Unknown tool: {name}")
    if kind == "resource":
        code = INVALID_PARAMS if era == "modern" else RESOURCE_NOT_FOUND
        return jsonrpc.error(id, code, "Resource not found", {"uri": name})
    if kind == "prompt":
        return jsonrpc.error(id, INVALID_PARAMS, f"Unknown prompt: {name}")
    return jsonrpc.error(id, INVALID_PARAMS, f"Unknown reference: {name}")


def tool_error(words: str, meta: dict[str, Any], era: Era) -> dict[str, Any]:
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": words}],
        "isError": True,
        "_meta": meta,
    }
    if era == "modern":
        result["resultType"] = "complete"
    return result


def _meta(decision: Decision, call: UUID, retry_after: int | None) -> dict[str, Any]:
    meta: dict[str, Any] = {
        f"{META}decisionId": str(call),
        f"{META}decision": decision.decision,
        f"{META}rule": decision.rule,
    }
    if decision.decision == "limit" and retry_after is not None:
        meta[f"{META}retryAfter"] = retry_after
    return meta


def text(
    decision: Decision, call: UUID, retry_after: int | None, note: str = ""
) -> str:
    what, then = _what(decision, retry_after)
    parts = [what, sentence(decision.reason or ""), then, note]
    told = " ".join(part for part in parts if part)
    return f"{told} (rule {decision.rule}, decision {call})"


def sentence(reason: str) -> str:
    """A reason as its author wrote it, ended, so that our words do not run into it."""
    reason = reason.strip()
    return reason if not reason or reason[-1] in ".!?:;" else f"{reason}."


def _what(decision: Decision, retry_after: int | None) -> tuple[str, str]:
    if decision.rule in WHY:
        what, then = WHY[decision.rule]
        return f"Denied: not executed. {what}", then
    if decision.decision == "limit":
        return "Limit reached: not executed.", _later(retry_after)
    return (
        "Denied by policy: not executed.",
        "Do not retry the same call; change it or tell the user.",
    )


def _later(retry_after: int | None) -> str:
    if retry_after is None:
        return "Waiting does not help: the call is too large for this limit."
    return f"It can pass in {retry_after} seconds; do not retry before."

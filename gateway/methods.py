"""The methods that are relayed, each with all the parameters that it may carry. Pure.

What stands here is judged; whatever does not stand here is refused, never passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.errors import InvalidParams, NotRelayed

Kind = Literal[
    "local", "list", "tool", "resource", "prompt", "completion", "task", "helper"
]
# What a client brings with a call that it was told to make again.
RETURNED = frozenset({"inputResponses", "requestState"})


@dataclass(frozen=True, slots=True)
class Method:
    """`name_key` is the parameter that names the thing; `items` the result's list.

    `kinds` are the JSON types of the parameters as Python has them.

    `repeatable` requests have no effect: one that got lost may be sent once more. The
    server's own hints (`readOnlyHint`) do not make a tool call repeatable.
    """

    kind: Kind
    params: frozenset[str]
    modern: bool = True
    legacy: bool = True
    name_key: str | None = None
    mirrored: bool = False
    items: str | None = None
    capability: str = ""
    repeatable: bool = True
    required: Mapping[str, type] = field(default_factory=dict)
    kinds: Mapping[str, type] = field(init=False)
    kind_of: Callable[[str], type] = field(init=False)

    def __post_init__(self) -> None:
        kinds = dict.fromkeys(self.params, object) | _OPTIONAL | dict(self.required)
        kept = {key: kind for key, kind in kinds.items() if key in self.params}
        object.__setattr__(self, "kinds", kept)
        object.__setattr__(self, "kind_of", kept.__getitem__)


_OPTIONAL: dict[str, type] = {"arguments": dict, "_meta": dict, "cursor": str}
_WORDS: dict[type, str] = {dict: "an object", str: "a string"}


def _list(items: str, capability: str) -> Method:
    return Method(
        "list", frozenset({"cursor", "_meta"}), items=items, capability=capability
    )


def _task(*more: str) -> Method:
    return Method(
        "task",
        frozenset({"taskId", "_meta", *more}),
        legacy=False,
        name_key="taskId",
        mirrored=True,
        required={"taskId": str} | dict.fromkeys(more, dict),
    )


METHODS: dict[str, Method] = {
    "initialize": Method(
        "local",
        frozenset({"protocolVersion", "capabilities", "clientInfo", "_meta"}),
        modern=False,
        required={"protocolVersion": str},
    ),
    "ping": Method("local", frozenset({"_meta"}), modern=False),
    "server/discover": Method("local", frozenset({"_meta"}), legacy=False),
    "tools/list": _list("tools", "tools"),
    "resources/list": _list("resources", "resources"),
    "resources/templates/list": _list("resourceTemplates", "resources"),
    "prompts/list": _list("prompts", "prompts"),
    "tools/call": Method(
        "tool",
        frozenset({"name", "arguments", "_meta"}) | RETURNED,
        name_key="name",
        mirrored=True,
        capability="tools",
        repeatable=False,
        required={"name": str},
    ),
    "resources/read": Method(
        "resource",
        frozenset({"uri", "_meta"}) | RETURNED,
        name_key="uri",
        mirrored=True,
        capability="resources",
        required={"uri": str},
    ),
    "prompts/get": Method(
        "prompt",
        frozenset({"name", "arguments", "_meta"}) | RETURNED,
        name_key="name",
        mirrored=True,
        capability="prompts",
        required={"name": str},
    ),
    "completion/complete": Method(
        "completion",
        frozenset({"ref", "argument", "context", "_meta"}),
        capability="completions",
        required={"ref": dict, "argument": dict},
    ),
    "tasks/get": _task(),
    "tasks/update": _task("inputResponses"),
    "tasks/cancel": _task(),
}
# A call of the gateway's own tool, which is no call of the server's.
HELPER = Method(
    "helper",
    frozenset({"name", "arguments", "_meta"}),
    name_key="name",
    mirrored=True,
    required={"name": str},
)
_NOT_YET = {
    "resources/subscribe": "resource subscriptions",
    "resources/unsubscribe": "resource subscriptions",
    "subscriptions/listen": "subscriptions",
    "logging/setLevel": "the log level",
    "tasks/get": "tasks",
    "tasks/result": "tasks",
    "tasks/list": "tasks",
    "tasks/cancel": "tasks",
}
_FEATURES = {
    "task": "tasks",
    "inputResponses": "answers to a server's questions",
    "requestState": "answers to a server's questions",
}


def find(name: str, era: str) -> Method:
    """Raises NotRelayed."""
    method = METHODS.get(name)
    if method is None or not getattr(method, era):
        what = _NOT_YET.get(name)
        text = f"Method not found: {name[:100]}"
        if what:
            text += f". This gateway does not relay {what}"
        raise NotRelayed(text)
    return method


def check_params(method: Method, params: Mapping[str, Any]) -> None:
    """Raises InvalidParams for a parameter that is unknown, missing or ill-typed."""
    try:
        fit = all(map(isinstance, params.values(), map(method.kind_of, params)))
    except KeyError:
        fit = False
    if fit and params.keys() >= method.required.keys():
        return
    for key in (*params, *method.required):
        if not isinstance(params.get(key), method.kinds.get(key, ())):
            raise InvalidParams(_wrong(method, key))


def _wrong(method: Method, key: str) -> str:
    if key in method.required:
        return f"params.{key} is missing or of the wrong type"
    kind = method.kinds.get(key)
    return unknown(key) if kind is None else f"params.{key} must be {_WORDS[kind]}"


def unknown(key: str) -> str:
    if key in _FEATURES:
        return f"params.{key}: this gateway does not relay {_FEATURES[key]}"
    return f"params.{key[:100]} is not a parameter of this method"

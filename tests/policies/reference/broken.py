"""Documents that are broken somewhere, and some that only look it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.policies.reference.compare import raw
from tests.policies.reference.dice import Dice
from tests.policies.reference.documents import Documents
from tests.policies.reference.texts import Name, Raw, write

ANY: list[Any] = [
    None,
    True,
    False,
    "",
    "text",
    Raw("0"),
    Raw("-1"),
    Raw("1.5"),
    [],
    {},
    ["a"],
]
ANY += [{"a": Raw("1")}, [None], Raw("9007199254740993"), Raw("1e400"), "\ud800"]
LEAF = {"path": "args.v", "op": "eq", "value": "x"}
BY_KEY: dict[str, list[Any]] = {
    "version": ["2", Raw("1")],
    "default": ["ask", "ALLOW"],
    "mode": ["dry", "Watch"],
    "action": ["ask", "hide"],
    "validate_arguments": ["yes", "Strict"],
    "path": ["amount", "args..a", "args.l[0", "args.l[-1]", "env.HOME", "time.minute",
             "args.a b", 'args["a', "args.", "args[]", "grant", "user.name",
             'args["a b"]', "args.a[*]", "args", "args.a.", "args.a]"],
    "op": ["equals", "EQ", "lt", "in", "exists", "regex", "len_gt"],
    "value": ["(", "(?=a)b", "a" * 1025, ["a", None], [["a"]], ["a", Raw("1")], "3"],
    "if_absent": ["match", "deny"],
    "as": ["decimal", "integer"],
    "counter": [Raw("1")],
    "window": ["week", Raw("2592001"), Raw("2592000"), Raw("1"), "month", "60"],
    "max": ["10", Raw("10"), Raw("-0.5"), Raw("1.5"), Raw("1e-7"), Raw("9e9"),
            Raw("9000000001")],
    "scope": ["user", "server"],
    "over": ["ask", "limit"],
    "sum": ["amount", "args.a", "args.a[*].b", "user.email", "args.a["],
    "by": ["args.a", "args.a[*]", "client.name"],
    "rate_limit": ["10/fortnight", "5/hour", "/minute", "ten/minute", "10", "-1/day",
                   {"max": Raw("1")}, {"max": Raw("1"), "window": Raw("60")},
                   {"max": Raw("1"), "window": Raw("0")}],
    "quorum": [Raw("0"), Raw("1"), Raw("2.5")],
    "approvers": [["bob"], ["role:boss"], ["role:owner"], ["bob@example.com"]],
    "expires_in": ["25h", "24h", "1h30m", "90s", "10", "1d", "24h1s"],
    "use_within": ["86401s", "86400s", "m", "5 m"],
    "hide": [[""], ["a\\"], ["a\\\\"], ["a" * 129], ["*" * 128]],
    "expect": ["approval", "limit"],
    "at": ["yesterday", "2026-01-05T12:00:00Z", "2026-01-05T12:00:00"],
}  # fmt: skip
SLOW = {"expires_in": "10m", "quorum": Raw("1"), "escalate_to": ["role:owner"]}
QUICK = {"approvers": ["role:admin"], "use_within": "5m", "self_approval": True}
EXTRA: list[dict[str, Any]] = [
    {"action": "require_approval", "approval": SLOW},
    {"action": "require_approval", "approval": QUICK},
    {"approve_if": [{"conditions": [LEAF], "name": "n", "reason": "r"}]},
]  # fmt: skip
TEST = {
    "name": "one", "tool": "pay", "args": {"v": Raw("1")}, "expect": "allow",
    "at": "2026-01-05T12:00:00Z", "grant": {"label": "l", "tags": ["t"]},
    "user": {"email": "a@acme.com", "role": "viewer"}, "used": {"c": Raw("1")},
}  # fmt: skip
UNKNOWN = ["denyif", "Action", "per", "vaule", "tool", "on_deny", "name", "mode"]


class Broken:
    def __init__(self, rng: Dice) -> None:
        self.rng = rng
        self.documents = Documents(rng)

    def draw(self) -> str:
        document = self.documents.draw()
        document["tools"]["extra"] = raw(write(self.rng.choice(EXTRA)))
        document["tests"] = [raw(write(TEST))]
        ways: list[Callable[[dict[str, Any]], str]] = [
            self.replace, self.replace, self.replace, self.remove, self.add, self.add,
            self.overfill, self.twice, self.mangle,
        ]  # fmt: skip
        return self.rng.choice(ways)(document)

    def spot(self, tree: Any) -> tuple[Any, Any]:
        """A holder and the key or index of something in it."""
        return self.rng.choice(list(spots(tree)))

    def replace(self, document: dict[str, Any]) -> str:
        holder, at = self.spot(document)
        pool = BY_KEY.get(at, ANY) if self.rng.random() < 0.7 else ANY
        holder[at] = self.rng.choice(pool)
        return write(document)

    def remove(self, document: dict[str, Any]) -> str:
        holder, at = self.spot(document)
        del holder[at]
        return write(document)

    def add(self, document: dict[str, Any]) -> str:
        objects = [h[a] for h, a in spots(document) if isinstance(h[a], dict)]
        holder = self.rng.choice([document, *objects])
        key = self.rng.choice([*UNKNOWN, *BY_KEY])
        holder[key] = self.rng.choice(BY_KEY.get(key, ANY))
        return write(document)

    def twice(self, document: dict[str, Any]) -> str:
        """A key twice, once perhaps written with an escape."""
        holder, key = self.spot(document)
        if not isinstance(holder, dict):
            return write(document)
        again = Name("\ue000" + key)
        holder[again] = self.rng.choice([holder[key], None])
        escaped = "".join(f"\\u{ord(c):04x}" for c in key if ord(c) < 0x10000)
        return write(document).replace(
            json.dumps(again), f'"{escaped}"' if escaped else '""'
        )

    def mangle(self, document: dict[str, Any]) -> str:
        text = write(document)
        cut = self.rng.randrange(len(text))
        return self.rng.choice(
            [
                text[:cut],
                text + "}",
                text[:-1] + ",}",
                text.replace('"1"', "NaN", 1),
                "\ufeff" + text,
                text + "// end",
                "[" + text + "]",
                "",
                "null",
                text.replace(":", ": 01,", 1),
                text + " " * (262_145 - len(text.encode())),
                text + " " * (262_144 - len(text.encode())),
                " \n" + text + "\t\r\n",
            ]
        )

    def overfill(self, document: dict[str, Any]) -> str:
        """At a bound, or one past it."""
        entry: dict[str, Any] = {}
        more = self.rng.randint(0, 1)
        document["tools"]["full"] = entry
        fills = [self.limits, self.rules, self.conditions, self.depth, self.names]
        self.rng.choice([*fills, self.sums])(document, entry, more)
        return write(document)

    def limits(self, document: Any, entry: Any, more: int) -> None:
        everywhere = document.get("all_tools", {})
        taken = len(everywhere.get("limits", [])) + ("rate_limit" in everywhere)
        rate = self.rng.randint(0, 1)
        if rate:
            entry["rate_limit"] = "1/day"
        entry["limits"] = [
            {"counter": f"n{i}", "window": "day", "max": Raw("1")}
            for i in range(10 - taken - rate + more)
        ]

    def rules(self, document: Any, entry: Any, more: int) -> None:
        entry["require"] = [dict(LEAF)] * 40
        entry["deny_if"] = [{"conditions": [dict(LEAF)]}] * 30
        entry["approve_if"] = [{"conditions": []}] * (30 + more)

    def conditions(self, document: Any, entry: Any, more: int) -> None:
        group = {self.rng.choice(["any", "all"]): [dict(LEAF)] * (19 + more)}
        entry["deny_if"] = [{"conditions": [group, dict(LEAF)]}]

    def depth(self, document: Any, entry: Any, more: int) -> None:
        condition: dict[str, Any] = dict(LEAF)
        for _ in range(4 + more):
            word = self.rng.choice(["any", "all", "not"])
            condition = {word: condition if word == "not" else [condition]}
        entry["require"] = [condition]

    def names(self, document: Any, entry: Any, more: int) -> None:
        keys = ["full", "\\full", "f*", "f\\*", "\\f*", "\\extra", "x\\", ""]
        key = self.rng.choice(keys)
        document["tools"][key] = document["tools"].get(key, {})
        if self.rng.random() < 0.02:
            document["tools"] = {f"t{i}": {} for i in range(2000 + more)}

    def sums(self, document: Any, entry: Any, more: int) -> None:
        kinds: list[dict[str, Any]] = [
            {},
            {"sum": "args.a"},
            {"sum": "args.b"},
            {"sum": "args.a", "as": "decimal"},
            {"as": "decimal"},
        ]
        limit = {"counter": "s", "window": "day", "max": Raw("1")}
        entry["limits"] = [{**limit, **self.rng.choice(kinds)}]
        other = self.rng.choice([entry, document.setdefault("prompts", {})])
        limits = other.setdefault("limits", [])
        limits.append({**limit, "window": "hour", **self.rng.choice(kinds)})


def spots(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, dict | list):
        for at in list(tree) if isinstance(tree, dict) else range(len(tree)):
            yield tree, at
            yield from spots(tree[at])

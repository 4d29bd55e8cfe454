"""Random calls, aimed at what the rules of a document read."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from tests.policies.reference.addresses import address
from tests.policies.reference.aims import (
    aims_of,
    approval_rules,
    counters_of,
    names,
)
from tests.policies.reference.contexts import Contexts
from tests.policies.reference.dice import Deck, Dice
from tests.policies.reference.documents import NAMES, NUMBERS, REGEXES, STRINGS
from tests.policies.reference.paths import EACH, STAR
from tests.policies.reference.texts import Name, Raw, respelled, write

INEXACT = ["9007199254740993", "0.1000000000000000055", "1e400", "1e-400"]
INEXACT += ["10000.0000000000000001", "-9007199254740993", "1.0000000000000000000001"]
INEXACT += ["1" * 400, "0." + "1" * 400, "-1E+999", "3e-324"]
DECIMALS = ["5", "-3", "12.50", "0.1", "100.000", "9007199254740993", "007", "-0"]
DECIMALS += ["1e2", "+5", " 5", "5.", ".5", "٥", "5\n", "0x5", "", "--5"]
AMOUNTS = ["0", "1", "40", "0.000001", "1e-7", "-1", "9000000000", "1.50000000", "100"]
AMOUNTS += ["8999999999.999999", "12.5", "1e2", "-0", "0.1", "1.0000001", "99"]
WRITTEN = ["12.50", "0", "99", "-1", "1.0000001", "1e2", "1.50000000", "-0.0"]
MILLIONTH = Decimal("0.000001")
MATCHED = ["a", "prod", "x7", "usd", "", "é", "A b", "\n", "😀"]
HOWS = ["aimed"] * 24 + [
    "string", "string", "number", "boolean", "list", "list", "object", "object",
    "number", "boolean", "inexact", "inexact", "decimal",
    "missing", "missing", "null", "null", "into null", "into null", "into wrong",
    "into wrong", "into wrong", *["past"] * 8, "twin", "twin",
]  # fmt: skip
# Those that go wrong on the way to the value, at one step of it.
ASTRAY_IN_OBJECT = {"missing", "twin"}
ASTRAY = {"into null", "into wrong", "past", *ASTRAY_IN_OBJECT}
VALUES = {"string", "number", "boolean", "list", "object", "null", "inexact"}
VALUES |= {"decimal"}
STRING = {"type": "string"}
SCHEMAS: list[Any] = [
    {"type": "object"},
    {"type": "object", "properties": {"v": {"type": "string"}}},
    {"type": "object", "required": ["v"], "properties": {"v": {}, "o": {}}},
    {
        "type": "object",
        "properties": {"o": {"type": "object", "properties": {"v": {}, "p": {}}}},
        "allOf": [{"properties": {"v": {"type": "number"}, "t": {"type": "array"}}}],
    },
    {
        "$defs": {"more": {"properties": {"w": {}, "l": {"items": STRING}}}},
        "$ref": "#/$defs/more",
        "properties": {"amount": {"type": "number", "minimum": Raw("0")}},
    },
    {
        "properties": {"o": {}, "amount": {}},
        "anyOf": [
            {"properties": {"v": {"type": "string"}}},
            {"properties": {"w": {"type": "number"}, "v": {"type": "boolean"}}},
        ],
    },
    {
        "properties": {"m": {"items": {"properties": {"v": {"enum": ["a", "prod"]}}}}},
        "oneOf": [{"properties": {"v": STRING, "t": {}}}, {"required": ["w"]}],
        "additionalProperties": True,
    },
    {"properties": {"v": {"type": "integer"}, "w": {"maximum": Raw("100")}}},
    {"properties": {"v": {"$ref": "https://example.com/v.json"}}},
    {"properties": {"v": {"pattern": "(?=a)"}}},
    {
        "properties": {"v": {"pattern": "^a"}},
        "additionalProperties": STRING,
    },
    None,
]
URIS = [
    "file:///etc/passwd", "file:///etc/../srv/docs/a", "file:///srv/docs/a.md",
    "FILE:///etc/passwd", "file://localhost/etc/passwd", "file:///%65tc/passwd",
    "file:///%2565tc/passwd", "file:///srv/%2e%2e/etc/passwd", "file:///srv/a/../b",
    "file:///srv/b", "https://EXAMPLE.com/private/a", "https://example.com/p?q",
    "https://a.example.com/x", "file:///srv/My Docs/a", "file:///srv/My%20Docs/a",
    "file:///%zz", "http://[::1", "file:///srv\\..\\etc", "file:///a\x00b", "ui://x",
    "file:///a/secret/x", "file:///srv/y/x", "file:///%C3%A9/a", "file:///é/a",
    "file:///%FF/a", "urn:a:b", "file:///srv/docs/../../etc/passwd", "file:///%",
    "HTTPS://example.com:443/private/b", "file:///./etc/passwd", "file:///etc/passwd#x",
    "https://example.com/public?u=/private/../x", "file:///srv//b", "file:///etc%2Fpasswd",
    "file:///a\nb", "file:///%2", "https://user@Example.com/private/z", "file:///",
]  # fmt: skip
PROMPTS = ["greet", "admin_x", "internal", "a*", "ab", "größe", "Greet", ""]


class Calls:
    """Draws calls for one document."""

    def __init__(
        self, rng: Dice, document: dict[str, Any], hows: Deck, contexts: Contexts
    ) -> None:
        self.rng = rng
        self.document = document
        self.hows = hows
        self.contexts = contexts
        self.aims: dict[str, list[tuple[list[Any], list[Any]]]] = {}
        self.named = [n for n in NAMES if names(document, n)] or NAMES
        self.counters = sorted(counters_of(document))
        self.approvals = sorted(approval_rules(document))
        self.chance = rng.chance

    def draw(self) -> dict[str, Any]:
        """A case as `policy-vectors.json` has it, without document and answer."""
        kind = self.rng.random()
        if "resources" in self.document and kind < 0.25:
            return {"call": {"resource": self.uri()}, **self.context()}
        if "prompts" in self.document and kind < 0.4:
            args = {} if self.chance(0.5) else {"amount": self.amount()}
            call = {"prompt": self.rng.choice(PROMPTS), "call_json": write(args)}
            return {"call": call, **self.context()}
        name = self.rng.choice(self.named if self.chance(0.88) else NAMES)
        return {"call": {"tool": name, "call_json": write(self.args(name))}} | (
            self.context()
        )

    def uri(self) -> str:
        return self.rng.choice(URIS) if self.chance(0.5) else address(self.rng)

    # -- context ---------------------------------------------------------------

    def context(self) -> dict[str, Any]:
        known = self.contexts.draw()
        known["used"] = self.used()
        if self.approvals and self.chance(0.2):
            count = self.rng.randint(1, len(self.approvals))
            known["waived"] = self.rng.sample(self.approvals, count)
        definition = self.definition()
        if definition:
            known["definition"] = definition
        return {"context": known}

    def definition(self) -> dict[str, Any]:
        which, hint = None, None
        if "validate_arguments" in self.document:
            which = self.rng.randint(0, len(SCHEMAS) - 1)
        if self.chance(0.2):
            key = self.rng.choice(["readOnlyHint", "ReadOnlyHint", "title"])
            hint = key, self.rng.choice([True, False, "true", None])
        return definition_of(which, hint)

    def used(self) -> dict[str, Raw]:
        """What the counters hold: often just below, at or above a `max`."""
        amounts = ["0", "1", "2", "3", "4", "5", "60", "87.5", "98.999999", "99", "100"]
        return {
            name: Raw(self.rng.choice(amounts))
            for name in self.counters
            if self.chance(0.6)
        }

    # -- arguments -------------------------------------------------------------

    def args(self, name: str) -> Any:
        if name not in self.aims:
            self.aims[name] = list(aims_of(self.document, name))
        args: Any = {"other": True} if self.chance(0.3) else {}
        for steps, conditions in self.aims[name]:
            how = self.hows.draw()
            # Arguments stay an object, so only what is below can go wrong.
            if isinstance(steps[0], str):
                if how in ASTRAY_IN_OBJECT and self.chance(1 / len(steps)):
                    args = self.stray(args, steps, how, conditions)
                else:
                    args = self.grow_key(args, steps, how, conditions)
        return args

    def grow(self, node: Any, steps: list[Any], how: str, aims: list[Any]) -> Any:
        """The node, changed where it can be, with a value put into it along the
        steps."""
        if not steps:
            return self.leaf(how, aims)
        if how in ASTRAY and self.chance(1 / len(steps)):
            return self.stray(node, steps, how, aims)
        if isinstance(steps[0], str):
            return self.grow_key(node, steps, how, aims)
        return self.grow_list(node, steps, how, aims)

    def stray(self, node: Any, steps: list[Any], how: str, aims: list[Any]) -> Any:
        """Wrong at the first of the steps, where it can go wrong in this way."""
        if how == "into null":
            return None
        if how == "into wrong":
            return self.wrong(steps[0])
        if not isinstance(steps[0], str):
            if how != "past":
                return self.grow_list(node, steps, how, aims)
            most = 0 if steps[0] is EACH else self.rng.randint(0, steps[0])
            return ["filler"] * most
        if how == "past":
            return self.grow_key(node, steps, how, aims)
        grown = node if isinstance(node, dict) else {}
        if how == "missing":
            grown.pop(steps[0], None)
            return grown
        twin = Name(self.twin(steps[0]))
        grown[twin] = self.grow(None, steps[1:], "aimed", aims)
        if self.chance(0.5):
            return grown
        return self.grow_key(grown, steps, how, aims)

    def wrong(self, step: Any) -> Any:
        scalars = ["text", Raw("7"), True, Raw("9007199254740993")]
        other: Any = ["v"] if isinstance(step, str) else {"0": "v"}
        return self.rng.choice([*scalars, other])

    def grow_key(self, node: Any, steps: list[Any], how: str, aims: list[Any]) -> Any:
        key, rest = steps[0], steps[1:]
        grown = node if isinstance(node, dict) else {}
        if rest:
            grown[key] = self.grow(grown.get(key), rest, how, aims)
        else:
            grown[key] = self.leaf(how, aims)
        return grown

    def grow_list(self, node: Any, steps: list[Any], how: str, aims: list[Any]) -> Any:
        step, rest = steps[0], steps[1:]
        if step is EACH:
            count = self.rng.choice([1, 1, 2, 3])
            hows = [how] + [how if self.chance(0.7) else "aimed"] * (count - 1)
            return [self.grow(None, rest, one, aims) for one in hows]
        grown = node if isinstance(node, list) else []
        while len(grown) <= step:
            grown.append(None)
        grown[step] = self.grow(grown[step], rest, how, aims)
        return grown

    def twin(self, key: str) -> str:
        """Another key equal but for case."""
        twins = [key.upper(), key.capitalize(), key.swapcase(), key.casefold()]
        twins.append(key.replace("k", "\u212a").replace("s", "\u017f"))
        return self.rng.choice([t for t in twins if t != key] or [key + "_"])

    # -- values ----------------------------------------------------------------

    def leaf(self, how: str, aims: list[Any]) -> Any:
        if how not in VALUES:
            return self.aimed(aims[0] if len(aims) == 1 else self.rng.choice(aims))
        if how == "null":
            return None
        if how == "inexact":
            return Raw(self.rng.choice(INEXACT))
        if how == "decimal":
            return self.rng.choice(DECIMALS)
        return self.any_value(how)

    def any_value(self, kind: str) -> Any:
        if kind == "string":
            return self.rng.choice(STRINGS)
        if kind == "number":
            return respelled(self.rng, self.rng.choice(NUMBERS))
        if kind == "boolean":
            return self.chance(0.5)
        size = self.rng.randint(0, 4)
        if kind == "list":
            return [self.any_value("string") for _ in range(size)]
        return {f"k{i}": Raw("1") for i in range(size)}

    def aimed(self, condition: dict[str, Any]) -> Any:
        """A value near what the condition asks for."""
        op: Any = condition.get("op")
        rule: Any = condition.get("value")
        if op is None:
            return self.counted(condition)
        if op in ("in", "not_in"):
            rule = self.rng.choice(rule)
        if op == "exists":
            return self.any_value(self.rng.choice(["string", "boolean", "object"]))
        if op in ("len_lt", "len_gt"):
            return self.sized(int(rule))
        if op == "regex":
            return REGEXES[rule] if self.chance(0.5) else self.rng.choice(MATCHED)
        if op == "contains" and self.chance(0.6):
            return self.holding(rule)
        return self.near(rule, condition.get("as") == "decimal")

    def near(self, rule: Any, decimal: bool = False) -> Any:
        if isinstance(rule, bool):
            return rule if self.chance(0.5) else not rule
        if not isinstance(rule, Raw) and not decimal:
            return rule if self.chance(0.5) else self.rng.choice(others_than(rule))
        number = Decimal(rule)
        if self.chance(0.5) and abs(number) < 10**6:
            number += self.rng.choice([Decimal(1), Decimal(-1), MILLIONTH, -MILLIONTH])
        if decimal and self.chance(0.15):
            return self.rng.choice(DECIMALS)
        if decimal and self.chance(0.6):
            plain = format(number, "f")
            return plain + ("00" if "." in plain else "")
        return respelled(self.rng, str(number))

    def holding(self, rule: Any) -> Any:
        if isinstance(rule, str) and not isinstance(rule, Raw) and self.chance(0.4):
            return "x" + rule + "y"
        others = ["zzz", Raw("77"), True, None, [], Raw("9007199254740993"), "5"]
        held = [self.near(rule)] + self.rng.sample(others, self.rng.randint(0, 2))
        self.rng.shuffle(held)
        return held

    def sized(self, size: int) -> Any:
        size = max(0, size + self.rng.randint(-1, 1))
        shape = self.rng.choice(["string", "list", "object"])
        if shape == "string":
            return "😀" * size
        if shape == "list":
            return [None] * size
        return {f"k{i}": None for i in range(size)}

    def counted(self, limit: dict[str, Any]) -> Any:
        if limit["counts"] == "by":
            long = ["x" * 256, "x" * 257, "€" * 85, "€" * 86]
            return self.rng.choice(["a", "b", True, Raw("5"), Raw("5.0"), "", *long])
        if STAR in limit["sum"] and self.chance(0.25):
            return Raw("4500000000")  # two of them make the bound
        if limit.get("as") == "decimal" and self.chance(0.7):
            return self.rng.choice(WRITTEN)
        return self.amount()

    def amount(self) -> Raw:
        return Raw(self.rng.choice(AMOUNTS))


@cache
def others_than(text: str) -> list[str]:
    return [text + "x", "x" + text, text.upper(), text[:-1], "zzz", "9", ""]


@cache
def definition_of(which: int | None, hint: tuple[str, object] | None) -> dict[str, Any]:
    """One object a definition, as it is for a gateway."""
    definition: dict[str, Any] = {}
    if which is not None and SCHEMAS[which] is not None:
        definition["inputSchema"] = SCHEMAS[which]
    if hint:
        key, value = hint
        definition["annotations"] = {key: value}
    return definition


def hows(rng: Dice) -> Deck:
    return Deck(rng, HOWS)

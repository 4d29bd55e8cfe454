"""Random policy documents, all of them valid."""

from __future__ import annotations

from typing import Any

from tests.policies.reference.addresses import address_glob
from tests.policies.reference.dice import Deck, Dice
from tests.policies.reference.rules import count_all
from tests.policies.reference.texts import Name, Raw, respelled

NAMES = [
    "pay", "pay_all", "pay_now", "read_file", "list/users", "a*b", "a~b", "größe",
    "x.y-z", "ghost",
]  # fmt: skip
EXACT = ["pay", "read_file", "list/users", "a\\*b", "a~b", "größe", "\\pay_now"]
EXACT += ["x.y-z"]
GLOBS = [
    "*", "pay*", "*_all", "pa?*", "p*_*", "read_?ile", "\\p*", "*b", "a\\**", "a*",
    "l*s", "?????", "gr?ße", "*y*", "pay*y",
]  # fmt: skip

STRINGS = ["prod", "usd", "a", "é", "e\u0301", "/tmp/", "@acme.com", "5", "10", "A"]
STRINGS += ["\uff5e", "😀", "ß", "", "true", "two words", "İ"]
NUMBERS = ["0", "1", "5", "100", "10000", "-3", "0.1", "12.5", "-0.5", "0.000001"]
NUMBERS += ["9007199254740992", "1e300", "5e-7", "50000.25"]
NUMBERS += ["9007199254740994", "1e22", "1.7976931348623157e308", "5e-324", "-1e-7"]
# Each with a text that it finds something in.
REGEXES = {
    "^a": "ab", "prod$": "my prod", "[0-9]+": "x7y", "(?i)USD": "a usd", "^$": "",
    "é": "xéx", "\\bA\\b": "x A.", "^.$": "😀", "a|b": "xb", ".": "\n.",
}  # fmt: skip

VARIANTS = [
    *((op, kind) for op in ("eq", "neq") for kind in ("string", "number", "boolean")),
    *(
        (op, kind)
        for op in ("in", "not_in")
        for kind in ("string", "number", "boolean", "mixed")
    ),
    *((o, kind) for o in ("lt", "lte", "gt", "gte") for kind in ("string", "number")),
    *(("contains", kind) for kind in ("string", "number", "boolean")),
    *((op, "string") for op in ("regex", "starts_with", "ends_with")),
    *((op, "number") for op in ("len_lt", "len_gt")),
    ("exists", "true"),
    ("exists", "false"),
]

PATHS = [
    "args.v", "args.w", "args.o.v", "args.o.p.q", 'args["a.b"]', "args.l[3]",
    "args.größe", 'args["q\\"\\u00e9"]', 'args.o["x y"].v', "args.kin", "args.l[0]",
    "args.l[1].v", "args.o.l[2]", "args.t[*]", "args.t[*]", "args.m[*].v",
    "args.n[*].k[*]", "args.m[*].l[0]",
]  # fmt: skip
CONTEXT_PATHS = [
    "tool.category", "tool.severity", "tool.annotations.readOnlyHint",
    "tool.annotations.title", "grant.label", "grant.tags", "grant.tags[*]",
    "grant.tags[0]", "user.email", "user.role", "client.name", "time.hour",
    "time.weekday", "time.weekday", "args",
]  # fmt: skip
CONTEXT_STRINGS = ["Read", "Destructive", "critical", "ci-1", "prod", "eu", "owner"]
CONTEXT_STRINGS += ["a@acme.com", "claude", "viewer", "low"]

SCHEMAS = [None, None, True, "strict"]
WINDOWS = ["minute", "hour", "day", "month", Raw("1"), Raw("86400"), Raw("2592000")]
COUNTERS = ["c", "d", "e", "rate:pay"]
SUMS = ["args.amount", "args.items[*].price", "args.amount"]
BYS = ["args.account", "args.o.account", "args.accounts[0]"]

URI_GLOBS = [
    "*", "file:///etc/*", "file:///srv/docs/*", "file://localhost/etc/passwd",
    "file:///srv/a/../b", "file:///srv/b", "https://example.com/private/*",
    "https://EXAMPLE.com/*", "file:///srv/My Docs/*", "file:///%65tc/*",
    "file:///etc/passw?", "https://example.com/p?q", "ui://*", "*/secret*",
    "https://*.example.com/*", "file:///srv/*/x", "file:///é/*", "urn:a:*",
]  # fmt: skip
PROMPT_GLOBS = ["*", "greet", "admin_*", "in?ernal", "a\\*", "a*", "größe"]


class Documents:
    """Draws documents; `rng` decides everything."""

    def __init__(self, rng: Dice) -> None:
        self.rng = rng
        self.variants = Deck(rng, VARIANTS)
        self.paths = Deck(rng, PATHS)
        self.chance = rng.chance
        self.depths = Deck(rng, [0] * 12 + [1] * 4 + [2] * 3 + [3] * 3 + [4] * 3)

    def draw(self) -> dict[str, Any]:
        self.counters: dict[str, dict[str, Any]] = {}
        document: dict[str, Any] = {
            "version": "1",
            "default": "deny" if self.chance(0.5) else "allow",
        }
        document["tools"] = self.tools()
        if self.chance(0.35):
            document["all_tools"] = self.entry(light=True)
        if self.chance(0.15):
            document["hide"] = self.some(["ghost", "pay*", "gr*", "\\a*", "x.y-z"], 2)
        if self.chance(0.08):
            document["mode"] = self.rng.choice(["watch", "watch", "enforce"])
        if self.chance(0.12):
            document["validate_arguments"] = self.rng.choice([True, "strict"])
        if self.chance(0.3):
            document["resources"] = self.reads(URI_GLOBS)
        if self.chance(0.2):
            document["prompts"] = self.reads(PROMPT_GLOBS)
        if self.chance(0.1):
            document["description"] = "drawn"
        return document

    def some(self, choices: list[Any], most: int) -> list[Any]:
        return self.rng.sample(choices, self.rng.randint(1, most))

    # -- entries ---------------------------------------------------------------

    def tools(self) -> dict[str, Any]:
        keys = self.some(EXACT, 3) + (self.some(GLOBS, 3) if self.chance(0.5) else [])
        self.rng.shuffle(keys)
        return {Name(key): self.entry(glob=key in GLOBS) for key in keys}

    def entry(self, light: bool = False, glob: bool = False) -> dict[str, Any]:
        """Globs differ in action and mode more often, as these rank them."""
        entry: dict[str, Any] = {}
        weights = [50, 5, 20, 25] if glob else [80, 5, 6, 9]
        actions = [None, "allow", "deny", "require_approval"]
        action = self.rng.choices(actions, weights)[0]
        if action and not (light and self.chance(0.7)):
            entry["action"] = action
        for kind, share in (("require", 0.35), ("deny_if", 0.55), ("approve_if", 0.6)):
            if self.chance(share / 2 if light else share):
                most = 2 if self.chance(0.3) else 1
                entry[kind] = [self.rule(kind) for _ in range(most)]
        if self.chance(0.35):
            entry["limits"] = [self.limit() for _ in range(self.rng.randint(1, 2))]
        if self.chance(0.12):
            entry["rate_limit"] = self.rng.choice(
                ["10/minute", "0/day", {"max": Raw("3"), "window": Raw("60")}]
            )
        if self.chance(0.25 if glob else 0.1):
            entry["mode"] = self.rng.choice(["watch", "watch", "enforce"])
        if self.chance(0.1):
            entry["approval"] = {"approvers": ["role:admin"], "quorum": Raw("2")}
        return self.shuffled(entry)

    def shuffled(self, entry: dict[str, Any]) -> dict[str, Any]:
        """The order of keys in the text is nobody's business."""
        keys = list(entry)
        self.rng.shuffle(keys)
        return {key: entry[key] for key in keys}

    def rule(self, kind: str) -> dict[str, Any]:
        count = self.rng.choices([0, 1, 2, 3, 4], [3, 27, 30, 25, 15])[0]
        if kind == "require":
            rule = self.condition(True, self.depths.draw())
        else:
            rule = {"conditions": self.conditions(count)}
        if count_all(rule.get("conditions", [rule])) > 20:
            return self.rule(kind)
        if self.chance(0.1):
            rule["mode"] = self.rng.choice(["watch", "watch", "enforce"])
        if self.chance(0.2):
            rule["reason" if kind == "approve_if" else "on_deny"] = "because"
        return rule

    # -- conditions ------------------------------------------------------------

    def conditions(self, count: int) -> list[dict[str, Any]]:
        return [self.condition(False, self.depths.draw()) for _ in range(count)]

    def condition(
        self, requiring: bool, depth: int, negated: bool = False
    ) -> dict[str, Any]:
        if depth == 0:
            return self.leaf(requiring or negated)
        word = self.rng.choice(["any", "all", "not"])
        if word == "not":
            return {"not": self.condition(requiring, depth - 1, True)}
        inner = [self.condition(requiring, depth - 1, negated)]
        for _ in range(self.rng.choices([0, 1, 2], [25, 50, 25])[0]):
            shallower = self.rng.randint(0, depth - 1) if self.chance(0.3) else 0
            inner.append(self.condition(requiring, shallower, negated))
        self.rng.shuffle(inner)
        return {word: inner}

    def leaf(self, match_refused: bool) -> dict[str, Any]:
        if self.chance(0.12):
            return self.context_leaf()
        op, kind = self.variants.draw()
        leaf: dict[str, Any] = {"path": self.paths.draw(), "op": op}
        leaf.update(self.value(op, kind))
        if not match_refused and self.chance(0.5 if op == "exists" else 0.25):
            leaf["if_absent"] = "match"
        return leaf

    def value(self, op: str, kind: str) -> dict[str, Any]:
        if op == "exists":
            said = {"value": kind == "true"}
            return {} if kind == "true" and self.chance(0.3) else said
        if op == "regex":
            return {"value": self.rng.choice(list(REGEXES))}
        if op in ("len_lt", "len_gt"):
            return {"value": Raw(self.rng.choice(["0", "1", "2", "3"]))}
        if op in ("in", "not_in"):
            return self.decimal(kind, [self.scalar(kind) for _ in range(3)])
        if op == "contains":
            return {"value": self.scalar(kind)}
        return self.decimal(kind, self.scalar(kind))

    def decimal(self, kind: str, value: Any) -> dict[str, Any]:
        if kind != "number" or self.chance(0.7):
            return {"value": value}
        if self.chance(0.3):
            written = self.rng.choice(["12.50", "5", "-3.0", "9007199254740993"])
            value = [written, *value] if isinstance(value, list) else written
        return {"value": value, "as": "decimal"}

    def scalar(self, kind: str) -> Any:
        if kind == "mixed":
            kind = self.rng.choice(["string", "number", "boolean"])
        if kind == "string":
            return self.rng.choice(STRINGS)
        if kind == "boolean":
            return self.chance(0.5)
        return respelled(self.rng, self.rng.choice(NUMBERS))

    def context_leaf(self) -> dict[str, Any]:
        path = self.rng.choice(CONTEXT_PATHS)
        op, kind = self.variants.draw()
        leaf = {"path": path, "op": op, **self.value(op, kind)}
        if path.startswith("time.") and self.chance(0.7):
            op = self.rng.choice(["eq", "lt", "gte", "neq"])
            most = 20 if path == "time.hour" else 8
            hour = Raw(str(self.rng.randint(0, most)))
            return {"path": path, "op": op, "value": hour}
        if kind == "string" and op != "regex":
            value = leaf["value"]
            many = [self.rng.choice(CONTEXT_STRINGS) for _ in range(2)]
            leaf["value"] = many if isinstance(value, list) else many[0]
        return leaf

    # -- limits and reads ------------------------------------------------------

    def limit(self, counters: tuple[str, ...] = tuple(COUNTERS)) -> dict[str, Any]:
        counter = self.rng.choice(counters)
        if counter not in self.counters:
            self.counters[counter] = self.added(counter)
        limit = {
            "counter": counter,
            "window": self.rng.choice(WINDOWS),
            "max": Raw(self.rng.choice(["0", "1", "3", "5", "100", "100", "1e2"])),
            **self.counters[counter],
        }
        if self.chance(0.25):
            limit["by"] = self.rng.choice(BYS)
        if self.chance(0.4):
            limit["over"] = self.rng.choice(["deny", *["require_approval"] * 3])
        if self.chance(0.4):
            scopes = ["grant", "session", "server", "organization"]
            limit["scope"] = self.rng.choice(scopes)
        if self.chance(0.12):
            limit["mode"] = "watch"
        return limit

    def added(self, counter: str) -> dict[str, Any]:
        if counter.startswith("rate:") or self.chance(0.4):
            return {}
        decimal = {"as": "decimal"} if self.chance(0.4) else {}
        return {"sum": self.rng.choice(SUMS), **decimal}

    def reads(self, globs: list[str]) -> dict[str, Any]:
        section: dict[str, Any] = {}
        if self.chance(0.6):
            section["default"] = self.rng.choice(["deny", "allow"])
        for key, share in (("allow", 0.6), ("deny", 0.5), ("hide", 0.25)):
            if self.chance(share):
                section[key] = self.some(globs, 3)
                if globs is URI_GLOBS and self.chance(0.5):
                    section[key].append(address_glob(self.rng))
        if self.chance(0.4):
            section["limits"] = [self.limit() for _ in range(self.rng.randint(1, 2))]
        return section

"""Hand-made mistakes in the engine, each a piece of its source replaced.

A mutant whose text is gone fails loudly: move it along with the code it guards.
"""

from __future__ import annotations

from tests.policies.reference.mutating import Mutant

CONDITIONS = [
    Mutant(
        "any is all",
        "conditions",
        'return _any([compile_condition(inner, required) for inner in data["any"]])',
        'return all_of([compile_condition(inner, required) for inner in data["any"]])',
    ),
    Mutant(
        "all is any",
        "conditions",
        'return all_of([compile_condition(inner, required) for inner in data["all"]])',
        'return _any([compile_condition(inner, required) for inner in data["all"]])',
    ),
    Mutant(
        "not is dropped",
        "conditions",
        "return None if truth is None else not truth",
        "return truth",
    ),
    Mutant(
        "not makes unsure true",
        "conditions",
        "return None if truth is None else not truth",
        "return not truth",
    ),
    Mutant(
        "any forgets unsure",
        "conditions",
        "                return True\n            if one is None:\n",
        "                return True\n            if False:\n",
    ),
    Mutant(
        "all forgets unsure",
        "conditions",
        "            if one is None:\n                truth = None\n            elif",
        "            if one is None:\n                pass\n            elif",
    ),
    Mutant(
        "all is unsure before it is false",
        "conditions",
        "            if one is None:\n                truth = None\n            elif",
        "            if one is None:\n                return None\n            elif",
    ),
    Mutant(
        "if_absent is ignored",
        "conditions",
        ' or data.get("if_absent") == "match"',
        "",
    ),
    Mutant(
        "if_absent matches exists",
        "conditions",
        '    if op == "exists":\n        return',
        '    if op == "exists" and "if_absent" not in data:\n        return',
    ),
    Mutant(
        "neq is false when absent",
        "conditions",
        'TRUE_WHEN_ABSENT = frozenset({"neq", "not_in"})',
        'TRUE_WHEN_ABSENT = frozenset({"not_in"})',
    ),
    Mutant(
        "require takes absent as deny_if does",
        "conditions",
        "    if required:\n        return None\n",
        "",
    ),
    Mutant(
        "exists false is no different when absent",
        "conditions",
        'return not data.get("value", True)',
        "return False",
    ),
    Mutant(
        "exists false is no different when present",
        "conditions",
        '"exists": lambda value: lambda v, r: bool(value)',
        '"exists": lambda value: lambda v, r: True',
    ),
    Mutant(
        "a wrong type is false",
        "conditions",
        "return None if value is WRONG else test(value, r)\n\n    return answer\n\n\n"
        "def _starred",
        "return False if value is WRONG else test(value, r)\n\n    return answer\n\n\n"
        "def _starred",
    ),
    Mutant(
        "the first element speaks for all",
        "conditions",
        "return truth if same else None",
        "return truth",
    ),
    Mutant(
        "as decimal is ignored",
        "conditions",
        'tests = _DECIMAL_TESTS if data.get("as") == "decimal" else _TESTS',
        "tests = _TESTS",
    ),
]

OPERATORS = [
    Mutant("gte is gt", "operators", '"gte": ge', '"gte": gt'),
    Mutant("gt is gte", "operators", '"gt": gt', '"gt": ge'),
    Mutant("lt is lte", "operators", '"lt": lt', '"lt": le'),
    Mutant(
        "eq of another type is false",
        "operators",
        "return lambda v, r: v == value if type(v) is kind else None",
        "return lambda v, r: v == value",
    ),
    Mutant(
        "in of another type is false",
        "operators",
        "return v in strings if strings else None",
        "return v in strings",
    ),
    Mutant(
        "neq of unsure is true",
        "operators",
        "return None if truth is None else not truth",
        "return not truth",
    ),
    Mutant(
        "contains is sure among other types",
        "operators",
        "        if truth is None:\n            found = None\n",
        "",
    ),
    Mutant("starts_with anywhere", "operators", "v.startswith(value)", "value in v"),
    Mutant("len_lt is len_lte", "operators", "len(v) < value", "len(v) <= value"),
    Mutant(
        "len_gt counts bytes",
        "operators",
        "len(v) > value",
        "len(v.encode() if type(v) is str else v) > value",
    ),
    Mutant(
        "regex is anchored",
        "operators",
        "compiled.search",
        "compiled.match",
    ),
    Mutant(
        "as decimal reads the beginning of a string",
        "operators",
        "DECIMAL_STRING.fullmatch(v)",
        "DECIMAL_STRING.match(v)",
    ),
]

NUMBERS = [
    Mutant(
        "an integer that changes is taken",
        "numbers",
        "return double if Decimal(repr(double)) == value else None",
        "return double",
    ),
    Mutant(
        "a literal that changes is taken",
        "numbers",
        "return double if same else None",
        "return double",
    ),
    Mutant(
        "sums are cut to six decimals",
        "numbers",
        'fraction.rstrip("0")',
        "fraction[:6]",
    ),
    Mutant(
        "sums of seven decimals",
        "numbers",
        "if len(fraction) > 6",
        "if len(fraction) > 7",
    ),
    Mutant(
        "trailing zeros are decimals",
        "numbers",
        'whole.lstrip("0"), fraction.rstrip("0")',
        'whole.lstrip("0"), fraction',
    ),
    Mutant(
        "negative sums count",
        "numbers",
        "if (negative and amount) or amount",
        "if amount",
    ),
    Mutant(
        "sums at the bound count",
        "amounts",
        "if amount >= AMOUNT_BOUND",
        "if amount > AMOUNT_BOUND",
    ),
    Mutant(
        "by counts characters",
        "amounts",
        "if len(data) > LONGEST_BY",
        "if len(value) > LONGEST_BY",
    ),
]

READING = [
    Mutant(
        "a case twin of a missing key is ignored",
        "reading",
        "if key.name not in members:\n            return True\n",
        "if key.name not in members:\n            return False\n",
    ),
    Mutant(
        "a case twin beside the key is ignored",
        "reading",
        "return isinstance(folds, Counter) and folds[key.folded] > 1",
        "return False",
    ),
    Mutant(
        "case twins in ASCII only",
        "reading",
        "set(map(str.casefold, members))",
        "set(map(str.lower, members))",
    ),
    Mutant(
        "null is there",
        "reading",
        "        return ABSENT if value is None else value\n\n    return read\n\n\n"
        "def _take",
        "        return WRONG if value is None and name in args else (\n"
        "            ABSENT if value is None else value\n        )\n\n"
        "    return read\n\n\ndef _take",
    ),
    Mutant(
        "an empty list is of the wrong type",
        "reading",
        "    elif not value:\n        found.append(ABSENT)",
        "    elif not value:\n        found.append(WRONG)",
    ),
    Mutant(
        "past the end is of the wrong type",
        "reading",
        "if step.at < len(value) else ABSENT",
        "if step.at < len(value) else WRONG",
    ),
    Mutant(
        "case twins in elements are ignored",
        "reading",
        "if name != step.name and name.casefold() == step.folded:",
        "if False:",
    ),
    Mutant("Monday is 0", "reading", ".isoweekday()", ".weekday()"),
    Mutant(
        "the zone is ignored",
        "reading",
        "r.facts.at.astimezone(r.facts.zone).hour",
        "r.facts.at.hour",
    ),
    Mutant(
        "a client is its grant",
        "reading",
        '"client.name": lambda r: r.facts.client_name',
        '"client.name": lambda r: r.facts.grant_label',
    ),
    Mutant(
        "the bound is forgotten",
        "reading",
        "MOST_VALUES = 10_000",
        "MOST_VALUES = 10**9",
    ),
]

RULES = [
    Mutant(
        "require holds when unsure",
        "rules",
        "return lambda r: condition(r) is not True",
        "return lambda r: condition(r) is False",
    ),
    Mutant(
        "deny_if needs true",
        "rules",
        "return lambda r: condition(r) is not False",
        "return lambda r: condition(r) is True",
    ),
    Mutant(
        "no conditions never match",
        "rules",
        "        return _always\n    condition",
        "        return lambda r: False\n    condition",
    ),
    Mutant(
        "watch is ignored on rules",
        "rules",
        'if (all_watched or rule.get("mode") == "watch") == watched',
        "if all_watched == watched",
    ),
    Mutant(
        "enforce inside a watched part counts",
        "rules",
        'if (all_watched or rule.get("mode") == "watch") == watched',
        'if (rule.get("mode", "watch" if all_watched else "") == "watch") == watched',
    ),
    Mutant(
        "deny_if before require",
        "rules",
        "denies=(*_action_deny(data, pointer, whole), *_denies(mine))",
        "denies=(*_action_deny(data, pointer, whole), *[*_denies(mine)][::-1])",
    ),
    Mutant(
        "the action is asked last",
        "rules",
        "asks=(*_action_ask(data, pointer, whole), *_asks(mine))",
        "asks=(*_asks(mine), *_action_ask(data, pointer, whole))",
    ),
    Mutant(
        "rate_limit before limits",
        "rules",
        "(*self.limits, self.rate(name))",
        "(self.rate(name), *self.limits)",
    ),
]

ENTRIES = [
    Mutant(
        "all_tools denies nothing",
        "plans",
        "denies=(*own.denies, *general.denies)",
        "denies=own.denies",
    ),
    Mutant(
        "all_tools asks first",
        "plans",
        "asks=(*own.asks, *general.asks)",
        "asks=(*general.asks, *own.asks)",
    ),
    Mutant(
        "the limits of all_tools come first",
        "plans",
        'limits = (*own.limits_of(name), *general.limits_of("*"))',
        'limits = (*general.limits_of("*"), *own.limits_of(name))',
    ),
    Mutant(
        "all_tools has a rate for each tool",
        "plans",
        'general.limits_of("*")',
        "general.limits_of(name)",
    ),
    Mutant("fewer literals win", "plans", "-glob.literals", "glob.literals"),
    Mutant(
        "approval before deny among globs",
        "plans",
        '{"deny": 0, "require_approval": 1}',
        '{"deny": 1, "require_approval": 0}',
    ),
    Mutant(
        "a watched action outranks",
        "plans",
        "counts = as_written or not self.all_watched",
        "counts = True",
    ),
    Mutant(
        "what watched parts would do is ranked as enforced",
        "plans",
        "counts = as_written or not self.all_watched",
        "counts = not self.all_watched",
    ),
    Mutant(
        "a glob beats the exact name",
        "compile",
        "entry = self.exact.get(name) or _first(self.globs, name)",
        "entry = _first(self.globs, name) or self.exact.get(name)",
    ),
    Mutant(
        "hide takes no globs",
        "compile",
        "or any(m(name) for m in self.hidden_globs)",
        "",
    ),
    Mutant(
        "arguments are checked though watched",
        "compile",
        "validate, would_validate = None, self.validate",
        "would_validate = self.validate",
    ),
    Mutant("? is any run", "globs", '".*" if token is Wild.RUN else "."', '".*"'),
    Mutant(
        "an escaped star is a star",
        "globs",
        "            tokens.append(following)\n",
        '            tokens.append(Wild("*") if following == "*" else following)\n',
    ),
    Mutant(
        "a glob's pieces may overlap",
        "globs",
        "if len(name) < least or not",
        "if not",
    ),
]

ORDER = [
    Mutant(
        "an entry wins over hide",
        "decide",
        "    if resolved.hidden:\n",
        "    if resolved.hidden and resolved.entry is None:\n",
    ),
    Mutant(
        "default deny is forgotten",
        "decide",
        "if resolved.entry is None and not policy.default_allow:",
        "if False:",
    ),
    Mutant("held tools run", "decide", "if facts.tool.held:", "if False:"),
    Mutant("the kill switch is dead", "decide", "if facts.killed:", "if False:"),
    Mutant(
        "approvals are not looked at",
        "decide",
        "ask.rule not in waived and matches(r)",
        "matches(r)",
    ),
    Mutant(
        "break-glass skips limits",
        "decide",
        "uses, bad = _uses(plan, r)",
        "uses, bad = ((), None) if opened else _uses(plan, r)",
    ),
    Mutant(
        "strict is plain",
        "facts",
        "validate = self._strict if strict else self._plain",
        "validate = self._plain",
    ),
    Mutant(
        "adding nothing does not fit",
        "decision",
        "(self.amount > 0 and used + self.amount > self.max)",
        "used + self.amount > self.max",
    ),
    Mutant(
        "the last one does not fit",
        "decision",
        "used + self.amount > self.max",
        "used + self.amount >= self.max",
    ),
    Mutant("max 0 may be used", "decision", "self.max == 0 or ", ""),
    Mutant(
        "approval before a full limit",
        "decision",
        "        for use in over:\n",
        "        if self.asks:\n            over = []\n        for use in over:\n",
    ),
    Mutant(
        "a bad argument before a full limit",
        "decision",
        "        for use in over:\n",
        "        if self.bad is not None:\n            return self.bad\n"
        "        for use in over:\n",
    ),
    Mutant(
        "over is ignored",
        "limited",
        'over=data.get("over", "deny")',
        'over="deny"',
    ),
    Mutant(
        "a sum is a count",
        "limited",
        "amount = MILLION if self.total is None else self.total(r)",
        "amount = MILLION",
    ),
]

READS = [
    Mutant(
        "allow by either form",
        "reads",
        'either, both = (_either, _both) if kind == "resources"',
        'either, both = (_either, _either) if kind == "resources"',
    ),
    Mutant(
        "deny by both forms",
        "reads",
        'either, both = (_either, _both) if kind == "resources"',
        'either, both = (_both, _both) if kind == "resources"',
    ),
    Mutant(
        "the section's default is ignored",
        "reads",
        'data.get("default", document["default"]) == "allow"',
        'document["default"] == "allow"',
    ),
    Mutant(
        "deny before hide",
        "decide",
        "        if section.hide.first(subject, bounds) is not None:\n"
        "            return HIDDEN\n",
        "        if section.deny.first(subject, bounds) is None and (\n"
        "            section.hide.first(subject, bounds) is not None\n        ):\n"
        "            return HIDDEN\n",
    ),
    Mutant("dot segments stay", "uris", "_without_dots(decode(path))", "decode(path)"),
    Mutant(
        "escapes stay", "uris", "_without_dots(decode(path))", "_without_dots(path)"
    ),
    Mutant(
        "the host keeps its case",
        "uris",
        "host = decode(host).lower()",
        "host = decode(host)",
    ),
    Mutant("an empty host stays", "uris", ' or "localhost"', ""),
    Mutant(
        "a backslash parses",
        "uris",
        r'_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")',
        r'_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f]")',
    ),
]

PARSE = [
    Mutant(
        "a key twice is taken",
        "jsontext",
        'self.report.at_offset(at, inner, f"duplicate key {key!r}")',
        "pass",
    ),
    Mutant(
        "a number that changes is taken",
        "jsontext",
        "self.report.at_offset(at, path, message)\n            return 0",
        "return 0",
    ),
    Mutant(
        "if_absent may stand under not",
        "condition_checks",
        "if \"if_absent\" in value and (where.required or where.under_not):",
        'if "if_absent" in value and where.required:',
    ),
    Mutant("groups five deep", "condition_checks", "DEEPEST = 4", "DEEPEST = 5"),
    Mutant("eleven limits", "entry_checks", "MOST_LIMITS = 10", "MOST_LIMITS = 11"),
    Mutant(
        "one counter with two sums",
        "document",
        "        _check_counters(report, data)\n",
        "",
    ),
]  # fmt: skip

MUTANTS = [
    *CONDITIONS, *OPERATORS, *NUMBERS, *READING, *RULES, *ENTRIES, *ORDER, *READS,
    *PARSE,
]  # fmt: skip

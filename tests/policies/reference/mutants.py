"""Hand-made mistakes in the engine, each a piece of its source replaced.

A mutant whose text is gone fails loudly: move it along with the code it guards.
"""

from __future__ import annotations

from tests.policies.reference.mutants_of_conditions import (
    CONDITIONS,
    NUMBERS,
    OPERATORS,
    READING,
)
from tests.policies.reference.mutating import Mutant

RULES = [
    Mutant(
        "require holds when unsure",
        "rules",
        "yield compile_condition(rule, True), HOLDS, denial",
        "held = compile_condition(rule, True)\n"
        "        yield (lambda r, held=held: held(r) is not False), HOLDS, denial",
    ),
    Mutant(
        "deny_if needs true",
        "rules",
        "_together(rule), FREE, Decision(",
        "(lambda r, all=_together(rule): all(r) is True), FREE, Decision(",
    ),
    Mutant(
        "approve_if needs true",
        "rules",
        "_together(rule), FREE, Ask(",
        "(lambda r, all=_together(rule): all(r) is True), FREE, Ask(",
    ),
    Mutant(
        "no conditions never match",
        "rules",
        "        return _always\n    return",
        "        return lambda r: False\n    return",
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
        "ask.rule not in waived and condition(r) is not passes",
        "condition(r) is not passes",
    ),
    Mutant(
        "break-glass skips limits",
        "decide",
        "    if bad is not None or opened or not plan.asks:",
        "    uses, bad = ((), None) if opened else (uses, bad)\n"
        "    if bad is not None or opened or not plan.asks:",
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

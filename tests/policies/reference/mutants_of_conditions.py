"""Mistakes in conditions: operators, numbers, and what a path reads."""

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
        "def _of_argument",
        "return False if value is WRONG else test(value, r)\n\n    return answer\n\n\n"
        "def _of_argument",
    ),
    Mutant(
        "an argument of a wrong type is false",
        "conditions",
        "            if value is WRONG:\n                return None\n",
        "            if value is WRONG:\n                return False\n",
    ),
    Mutant(
        "an absent argument is unsure",
        "conditions",
        "            if value is ABSENT:\n                return absent\n",
        "            if value is ABSENT:\n                return None\n",
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
        "an amount at the bound counts",
        "numbers",
        "or amount >= AMOUNT_BOUND",
        "or amount > AMOUNT_BOUND",
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
        "    if twin:\n        return WRONG\n",
        "    if twin or (value is None and key.name in args):\n        return WRONG\n",
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

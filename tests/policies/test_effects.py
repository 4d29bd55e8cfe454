from __future__ import annotations

import json

from policies.comparing import differences, effect_words, text_difference
from policies.compile import compile_document
from policies.document import parse
from policies.effects import effect_of, entry_pointer, lets_nothing_through
from tests.cases import cases


def compiled(**document):
    text = json.dumps({"version": "1", "default": "deny"} | document)
    return compile_document(parse(text))


REQUIRE = {"require": [{"path": "args.a", "op": "exists"}]}


@cases(
    ("document", "state", "source", "pointer", "words"),
    [
        ({}, "hide", "default", "/default", "hidden by default"),
        ({"default": "allow"}, "allow", "default", "/default", "allowed by default"),
        ({"tools": {"t": {}}}, "allow", "name", "/tools/t", "allowed"),
        (
            {"tools": {"t": {"action": "deny"}}},
            *("deny", "name", "/tools/t", "denied"),
        ),
        (
            {"tools": {"t*": {"action": "require_approval"}}},
            *("ask", "glob", "/tools/t*", "asks for approval"),
        ),
        (
            {"tools": {"t": {"rate_limit": "10/hour"}}},
            *("limit", "name", "/tools/t", "allowed, at most 10 an hour"),
        ),
        (
            {"tools": {"t": {"rate_limit": {"max": 2000, "window": 60}}}},
            *("limit", "name", "/tools/t", "allowed, at most 2,000 a minute"),
        ),
        (
            {"tools": {"t": {"limits": [{"counter": "c", "window": "day", "max": 3}]}}},
            *("limit", "name", "/tools/t", "allowed, at most 3 a day"),
        ),
        (
            {
                "tools": {
                    "t": {
                        "limits": [
                            {
                                "counter": "c",
                                "window": "day",
                                "max": 3,
                                "sum": "args.n",
                                "scope": "server",
                            }
                        ]
                    }
                }
            },
            *("allow", "name", "/tools/t"),
            "allowed; args.n adds up to at most 3 a day, over the whole server",
        ),
        (
            {"tools": {"t": REQUIRE}},
            *("allow", "name", "/tools/t", "allowed; requires args.a is there"),
        ),
        (
            {"tools": {"t": {"action": "deny", "mode": "watch"}}},
            *("deny", "name", "/tools/t"),
            "denied (watched only); watched, not enforced",
        ),
        ({"hide": ["x", "t"]}, "hide", "name", "/hide/1", "hidden"),
        (
            {"hide": ["t?", "t*"], "tools": {"t": {}}},
            *("hide", "glob", "/hide/1", "hidden"),
        ),
    ],
)
def test_what_a_document_does_to_a_tool(document, state, source, pointer, words):
    effect = effect_of(compiled(**document), "t")
    assert (effect.state, effect.source, effect.pointer) == (state, source, pointer)
    assert effect_words(effect) == words


def test_globs_that_match_and_do_not_apply_are_named():
    tools = {"get_*": {}, "get_one*": {"action": "deny"}, "*": {}}
    effect = effect_of(compiled(tools=tools), "get_one")
    assert effect.pointer == "/tools/get_one*"
    assert effect.others == ("/tools/get_*", "/tools/*")


def test_a_pointer_to_an_entry_is_escaped_twice():
    assert entry_pointer("a*b/c~d") == "/tools/a\\*b~1c~0d"


@cases(
    ("document", "tools", "nothing"),
    [
        ({}, [], True),
        ({"hide": ["t"]}, ["t", "u"], True),
        ({"default": "allow", "hide": ["t"]}, ["t", "u"], False),
        ({"default": "allow", "hide": ["*"]}, ["t", "u"], True),
        ({"tools": {"t": {}}}, [], False),
        ({"tools": {"t": {}}}, ["u"], True),
        ({"tools": {"t": {"action": "deny"}}}, [], True),
        ({"tools": {"t": {"action": "deny", "mode": "watch"}}}, ["t"], False),
        ({"tools": {"t": {"action": "require_approval"}}}, ["t"], False),
        ({"tools": {"t": {}}, "all_tools": {"action": "deny"}}, ["t"], True),
        (
            {"tools": {"t": {}}, "all_tools": {"action": "deny", "mode": "watch"}},
            *(["t"], False),
        ),
    ],
)
def test_a_document_that_lets_nothing_through_is_known(document, tools, nothing):
    assert lets_nothing_through(compiled(**document), tools) is nothing


def told(old, new, tools=("t", "u")):
    return [
        (each.subject, each.before, each.after, each.tone)
        for each in differences(old, new, tools)
    ]


def test_only_what_changes_is_told():
    old = compiled(tools={"t": {}, "u": {}})
    assert told(old, compiled(tools={"u": {}, "t": {}})) == []
    assert told(old, compiled(tools={"t": {"action": "deny"}, "u": {}})) == [
        ("t", "allowed", "denied", "tightens")
    ]
    assert told(compiled(hide=["t"]), compiled(tools={"t": {}})) == [
        ("the list of hidden names", "t", "not set", "changes"),
        ("t", "hidden", "allowed", "loosens"),
    ]


def test_other_rules_are_told_also_where_the_words_are_the_same():
    many = [{"path": f"args.a{n}", "op": "exists"} for n in range(5)]
    other = [*many[:4], {"path": "args.z", "op": "exists"}]
    [(subject, before, after, tone)] = told(
        compiled(tools={"t": {"require": many}}),
        compiled(tools={"t": {"require": other}}),
    )
    assert (subject, tone) == ("t", "changes")
    assert before != after


def test_sections_are_told():
    rules = {"all_tools": REQUIRE, "mode": "watch", "resources": {"default": "allow"}}
    assert [each[0] for each in told(compiled(), compiled(**rules), ())] == [
        "rules for every tool",
        "resources",
        "enforcing or watching",
    ]


def test_very_many_alike_are_one_line():
    tools = [f"t{n:03}" for n in range(200)]
    told_of = told(compiled(), compiled(default="allow"), tools)
    assert told_of[1:] == [
        (
            "t000, t001, t002 and 197 more tools",
            *("hidden by default", "allowed by default", "loosens"),
        )
    ]


def test_a_name_that_nobody_lists_is_told_too():
    assert told(compiled(), compiled(tools={"typo": {}}), ("t",)) == [
        ("typo", "hidden by default", "allowed", "loosens")
    ]


def test_lines_that_differ():
    assert text_difference("a\nb", "a\nb", ("x", "y")) == []
    assert text_difference("a\nb", "a\nc", ("x", "y"))[3:] == [" a", "-b", "+c"]

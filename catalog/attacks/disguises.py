"""Attacks by what a name or a text looks like. Pure."""

from __future__ import annotations

from catalog.attacks.pattern import (
    EXPERIMENTS,
    TRAIL_OF_BITS,
    Pattern,
    Source,
    arxiv,
)

DISGUISES = (
    Pattern(
        slug="lookalike-tools",
        name="Lookalike tools and servers",
        line="A name that is nearly another's is called, or installed, instead.",
        happens=(
            "A server lists a tool under the name of a trusted one, or under one that"
            " differs in a letter, a case or an invisible character, and the model"
            " takes the wrong one. The same works on people: a package is published"
            " under a name that is easily mistyped.",
        ),
        needs=(
            "a second server in the same client, or a free name in a registry",
            "a client that puts all tools into one list",
        ),
        categories=("Read", "Write", "Execute", "Other"),
        signals=(),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "tools": {"get_invoice": {}, "list_invoices": {}},
            "tests": [
                {"name": "the real one", "tool": "get_invoice", "expect": "allow"},
                {"name": "nearly it", "tool": "get_invoices", "expect": "hide"},
            ],
        },
        does="Names tools exactly, by code point; what merely looks like one of them"
        " does not exist for the agent.",
        also=(
            "A new tool whose name cannot be told from another's, or that has odd"
            " characters in it, is held until a person looks.",
            "An endpoint is one server: no other can answer for it.",
        ),
        left="Which package you install, and under which name, is decided before the"
        " gateway sees anything.",
        sources=(
            arxiv("2508.13220", "MCPSecBench: name collisions and squatting"),
            Source("Model Context Protocol, format of tool names", "", "SEP-986"),
        ),
    ),
    Pattern(
        slug="preference-manipulation",
        name="Tool preference manipulation",
        line="A description makes the model choose one tool over better ones.",
        happens=(
            "A description claims to be the official, the fastest or the only correct"
            " way, and asks to be called first. The model prefers it, so that queries,"
            " documents and money go where its author wants them.",
        ),
        needs=("a listed tool that does the same as one that is trusted",),
        categories=("Read", "Write", "Other"),
        signals=(),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "hide": ["*_premium", "*_official"],
            "tools": {"search": {"rate_limit": "30/minute"}},
            "tests": [
                {"name": "one search", "tool": "search", "expect": "allow"},
                {"name": "not the other", "tool": "search_official", "expect": "hide"},
            ],
        },
        does="Lists one tool for the purpose, so that there is nothing to prefer.",
        also=(
            "The activity log shows which tools an agent really calls, and how often.",
        ),
        left="Between servers that a client holds side by side, the client chooses.",
        sources=(arxiv("2506.02040", "Beyond the Protocol"), EXPERIMENTS),
    ),
    Pattern(
        slug="hidden-characters",
        name="Hidden characters",
        line="Terminal codes or invisible characters hide orders from people.",
        happens=(
            "A description or an answer holds escape codes that move the cursor or"
            " paint text in the background's colour, marks that turn the reading"
            " direction, or characters that have no shape at all. People see one text,"
            " the model another.",
        ),
        needs=(
            "a definition or an answer that is shown to people as it comes",
            "a person who decides by what they see",
        ),
        categories=("Read", "Other"),
        signals=(),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "all_tools": {
                "deny_if": [
                    {
                        "conditions": [
                            {
                                "path": "args.text",
                                "op": "regex",
                                "value": "[\\x00-\\x08\\x0b-\\x1f\\x7f]",
                            }
                        ],
                        "on_deny": "Remove the control characters.",
                    }
                ]
            },
            "tools": {"post_comment": {}},
            "tests": [
                {
                    "name": "plain text passes",
                    "tool": "post_comment",
                    "args": {"text": "Done."},
                    "expect": "allow",
                },
                {
                    "name": "escape codes do not",
                    "tool": "post_comment",
                    "args": {"text": "Done.\u001b[8m and more"},
                    "expect": "deny",
                },
            ],
        },
        does="Keeps control characters out of what an agent writes, so that it cannot"
        " be made to pass them on.",
        also=(
            "Wherever PolicyLayer shows a name, a definition or an argument, invisible"
            " characters stand there as their code points.",
            "A tool with odd characters in its name is held.",
        ),
        left="Descriptions and answers go to the client unchanged; a terminal must be"
        " made to show them as text.",
        sources=(TRAIL_OF_BITS,),
    ),
)

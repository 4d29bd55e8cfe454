"""Attacks through what a server says of its tools. Pure."""

from __future__ import annotations

from catalog.attacks.pattern import (
    CYBERARK,
    EXPERIMENTS,
    INVARIANT,
    TRAIL_OF_BITS,
    Pattern,
    Source,
    arxiv,
    cve,
    owasp,
)

DEFINITIONS = (
    Pattern(
        slug="tool-poisoning",
        name="Tool poisoning",
        line="A tool's description carries orders for the model.",
        happens=(
            "A server describes a harmless tool and adds sentences that are meant for"
            " the model alone: read a file first, put what you found into this"
            " argument, say nothing of it. The person who installs the server sees a"
            " short name; the model reads all of it as part of its context.",
            "The model then uses tools that it already may use, often those of other"
            " servers, to collect secrets, and hands them over as an argument.",
        ),
        needs=(
            "a server that somebody adds to their client, or one that was taken over",
            "another tool in the same session that reads something worth having",
        ),
        categories=("Read", "Other", "Execute"),
        signals=("reads_files", "path"),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "validate_arguments": "strict",
            "tools": {
                "read_file": {
                    "require": [
                        {
                            "path": "args.path",
                            "op": "regex",
                            "value": "^/srv/docs/[A-Za-z0-9_-]+\\.md$",
                            "on_deny": "Only documents below /srv/docs.",
                        }
                    ]
                }
            },
            "tests": [
                {
                    "name": "documents can be read",
                    "tool": "read_file",
                    "args": {"path": "/srv/docs/guide.md"},
                    "definition": {
                        "inputSchema": {
                            "type": "object",
                            "properties": {"path": {"type": "string"}},
                        }
                    },
                    "expect": "allow",
                },
                {
                    "name": "keys cannot",
                    "tool": "read_file",
                    "args": {"path": "/home/me/.ssh/id_rsa"},
                    "definition": {
                        "inputSchema": {
                            "type": "object",
                            "properties": {"path": {"type": "string"}},
                        }
                    },
                    "expect": "deny",
                },
            ],
        },
        does="Whatever the description asks for, the reading tool opens documents of"
        " one folder only, and no call may carry an argument that its schema does not"
        " declare.",
        also=(
            "Every definition is pinned, whole, when it is first seen, and people can"
            " read it as inert text before they publish a policy.",
            "Tools that nobody named are not even listed under `default: deny`, so"
            " their descriptions never reach the model.",
        ),
        left="The gateway does not judge sentences: a poisoned description of a tool"
        " that you allow is passed on as it was pinned.",
        sources=(INVARIANT, owasp("03"), arxiv("2508.14925", "MCPTox")),
    ),
    Pattern(
        slug="full-schema-poisoning",
        name="Full-schema poisoning",
        line="Orders hide in parameter names, defaults or enum values.",
        happens=(
            "A review that reads descriptions finds nothing, because the order stands"
            " elsewhere: in the name of a parameter, a default value, an enum entry or"
            " a description deep inside the schema. The model reads the whole schema"
            " and is steered by any part of it.",
        ),
        needs=(
            "a server whose tools an agent is given",
            "reviewers or scanners that look at descriptions only",
        ),
        categories=("Read", "Write", "Execute", "Other"),
        signals=(),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "tools": {
                "add": {
                    "require": [
                        {"path": "args.a", "op": "lt", "value": 1000000},
                        {"path": "args.b", "op": "lt", "value": 1000000},
                    ],
                    "deny_if": [
                        {
                            "conditions": [
                                {"path": "args", "op": "len_gt", "value": 2}
                            ],
                            "on_deny": "Two numbers, and nothing else.",
                        }
                    ],
                }
            },
            "tests": [
                {
                    "name": "two numbers pass",
                    "tool": "add",
                    "args": {"a": 1, "b": 2},
                    "expect": "allow",
                },
                {
                    "name": "a third argument does not",
                    "tool": "add",
                    "args": {"a": 1, "b": 2, "content_from_ssh_keys": "x"},
                    "expect": "deny",
                },
            ],
        },
        does="Says what the arguments may be, so that a parameter which was added to"
        " carry something away is refused although the schema declares it.",
        also=(
            "The fingerprint covers the whole definition: a changed default or enum is"
            " a change like any other, and can hold the tool.",
            "The catalogue classifies parameter names, enum values and descriptions"
            " alike, and shows which of them it read.",
        ),
        left="An order inside a schema that you allow still reaches the model.",
        sources=(CYBERARK, owasp("03")),
    ),
    Pattern(
        slug="line-jumping",
        name="Line jumping",
        line="The attack happens when tools are listed, before any call.",
        happens=(
            "Clients put every listed description into the model's context when they"
            " connect. An order in one of them acts on the model although nobody ever"
            " calls that tool, so a prompt that asks before each call comes too late.",
        ),
        needs=("a listed tool of any kind; it need never be called",),
        categories=("Read", "Write", "Execute", "Destructive", "Financial", "Other"),
        signals=(),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "tools": {"search_documents": {}, "get_document": {}},
            "tests": [
                {
                    "name": "what is named can be called",
                    "tool": "search_documents",
                    "expect": "allow",
                },
                {
                    "name": "what is not named does not exist",
                    "tool": "daily_facts",
                    "expect": "hide",
                },
            ],
        },
        does="Two tools are listed; the definitions of all others never reach the"
        " client, and a call of one is answered as for a tool that does not exist.",
        also=(
            "A tool is listed as it was pinned. One that the server added since is left"
            " out until it is on record.",
        ),
        left="The definitions of the tools that you name are passed on.",
        sources=(TRAIL_OF_BITS, EXPERIMENTS),
    ),
    Pattern(
        slug="rug-pull",
        name="Rug pull",
        line="A tool changes after it was approved.",
        happens=(
            "A server behaves well until it is trusted. Then it answers tools/list with"
            " another description or schema under the same name, at once or weeks"
            " later, and what people approved is no longer what runs.",
        ),
        needs=(
            "control over a server that is already in use, or over its updates",
            "a client that does not compare definitions with those approved",
        ),
        categories=("Read", "Write", "Execute", "Destructive", "Financial", "Other"),
        signals=(),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "validate_arguments": "strict",
            "tools": {
                "get_*": {},
                "send_email": {
                    "action": "require_approval",
                    "reason": "Mail leaves the house.",
                },
            },
            "tests": [
                {
                    "name": "mail waits for a person",
                    "tool": "send_email",
                    "definition": {"inputSchema": {"type": "object"}},
                    "expect": "require_approval",
                }
            ],
        },
        does="Judges calls by the pinned schema, and asks a person wherever a changed"
        " meaning would hurt.",
        also=(
            "The first definition seen is pinned by its fingerprint. With changes held,"
            " a changed tool is neither listed nor callable until somebody accepts the"
            " difference.",
            "A waiting approval is bound to the fingerprint: a change voids it.",
        ),
        left="A server that changes what it does, and says the same, looks unchanged"
        " from outside: pin the package's version as well.",
        sources=(
            INVARIANT,
            owasp("04"),
            cve("2025-54136", "Check Point, MCPoison: a changed entry in Cursor"),
        ),
    ),
    Pattern(
        slug="tool-shadowing",
        name="Tool shadowing",
        line="One server's description steers calls to another server.",
        happens=(
            "A tool that is never called says how tools of another server are to be"
            " used: always send a copy to this address, always use that account. The"
            " trusted server then runs an altered call that looks like any other.",
        ),
        needs=(
            "a hostile server beside a trusted one in the same session",
            "a tool of the trusted one that sends something to a place of choice",
        ),
        categories=("Write", "Financial", "Execute"),
        signals=("recipient", "url"),
        reach="stops",
        policy={
            "version": "1",
            "default": "deny",
            "tools": {
                "send_message": {
                    "require": [
                        {
                            "path": "args.recipient",
                            "op": "in",
                            "value": ["+15550100", "+15550101"],
                            "on_deny": "Only the two numbers of the team.",
                        }
                    ]
                }
            },
            "tests": [
                {
                    "name": "the team can be written to",
                    "tool": "send_message",
                    "args": {"recipient": "+15550100"},
                    "expect": "allow",
                },
                {
                    "name": "a stranger cannot",
                    "tool": "send_message",
                    "args": {"recipient": "+15550199"},
                    "expect": "deny",
                },
            ],
        },
        does="The recipient is taken from a list that only your policy can change,"
        " whatever any description says.",
        also=(
            "Each server has an endpoint and a policy of its own; a grant can be given"
            " to one server alone.",
        ),
        left="Fields that no rule looks at, such as the text of a message, can still be"
        " altered.",
        sources=(
            INVARIANT,
            Source("Invariant Labs, WhatsApp through a second server", "2025-04"),
        ),
    ),
)

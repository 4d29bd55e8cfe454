"""Attacks on credentials, identity and the people who decide. Pure."""

from __future__ import annotations

from catalog.attacks.pattern import (
    BEST_PRACTICES,
    SPECIFICATION,
    TRAIL_OF_BITS,
    Pattern,
    Source,
    owasp,
)

TRUST = (
    Pattern(
        slug="plaintext-credentials",
        name="Credentials in configuration files",
        line="API keys lie readable in a client's configuration.",
        happens=(
            "Most servers are given their keys through environment variables in the"
            " client's configuration file. Any program of the same user can read it,"
            " backups and repositories copy it, and an agent with a file tool can be"
            " told to.",
        ),
        needs=("any way to read one file of the user",),
        categories=("Read", "Execute"),
        signals=("reads_files", "secrets", "path"),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "tools": {
                "read_file": {
                    "require": [
                        {
                            "path": "args.path",
                            "op": "starts_with",
                            "value": "/srv/project/",
                            "on_deny": "Only files of the project.",
                        }
                    ],
                    "deny_if": [
                        {
                            "conditions": [
                                {
                                    "path": "args.path",
                                    "op": "regex",
                                    "value": "(^|/)\\.\\.(/|$)|(^|/)\\.[^/]",
                                }
                            ],
                            "on_deny": "No hidden files, and no way up.",
                        }
                    ],
                }
            },
            "tests": [
                {
                    "name": "sources can be read",
                    "tool": "read_file",
                    "args": {"path": "/srv/project/main.py"},
                    "expect": "allow",
                },
                {
                    "name": "an .env file cannot",
                    "tool": "read_file",
                    "args": {"path": "/srv/project/.env"},
                    "expect": "deny",
                },
                {
                    "name": "nor what lies above",
                    "tool": "read_file",
                    "args": {"path": "/srv/project/../home/.cursor/mcp.json"},
                    "expect": "deny",
                },
            ],
        },
        does="Keeps file tools inside one folder and away from hidden files.",
        also=(
            "A server's credentials are stored in PolicyLayer, encrypted and bound to"
            " their row; the client's file holds one token, which a click revokes.",
            "Scan your config takes no values: they are struck out before anything is"
            " sent.",
        ),
        left="Keys of servers that you run beside the gateway stay where they are.",
        sources=(TRAIL_OF_BITS, owasp("01")),
    ),
    Pattern(
        slug="token-passthrough",
        name="Token passthrough",
        line="A token meant for one service is handed on to another.",
        happens=(
            "A server takes whatever token the client sends and uses it on an API"
            " behind it. The API cannot tell who asks, the server's own checks are"
            " skipped, and a token stolen in one place opens the other.",
        ),
        needs=(
            "a server, or a proxy, that does not check for whom a token was issued",
        ),
        categories=(),
        signals=(),
        reach="built in",
        does="",
        also=(
            "A client's token ends at the gateway: it is compared as a hash and never"
            " sent up. What goes up is the credential stored for that server.",
            "Headers pass by lists of what is allowed, in both directions, and"
            " credentials of servers never come down.",
        ),
        left="What a server does with its own credential, behind itself.",
        sources=(BEST_PRACTICES, owasp("07")),
    ),
    Pattern(
        slug="confused-deputy",
        name="Confused deputy",
        line="A proxy's standing consent is used for somebody else.",
        happens=(
            "A proxy uses one client identity at a service for all of its users. Who"
            " has consented once is not asked again, so an attacker who starts the"
            " sign-in with an address of their own receives the code of another's"
            " account.",
        ),
        needs=(
            "a proxy with one fixed identity, and consent kept in a cookie",
            "a person who opens a link",
        ),
        categories=(),
        signals=(),
        reach="built in",
        does="",
        also=(
            "Each client has a grant of its own, made by a signed-in member for one"
            " server under one policy; consent of one serves no other.",
            "Pages cannot be framed, and forms need their token.",
        ),
        left="Sign-in flows between a server and the services behind it.",
        sources=(BEST_PRACTICES,),
    ),
    Pattern(
        slug="session-hijacking",
        name="Session and state hijacking",
        line="A stolen or guessed session id acts for its owner.",
        happens=(
            "A server takes the session id, or a handle to a task or a state, for proof"
            " of who asks. Whoever learns one from a log or by guessing goes on in the"
            " other's name, or puts events into the other's stream.",
        ),
        needs=("an id that is guessable, logged or shared", "no check of who uses it"),
        categories=(),
        signals=(),
        reach="built in",
        does="",
        also=(
            "Every request needs its grant's token; an id alone opens nothing.",
            "Session ids and the state of a question are sealed, bound to their grant"
            " and call, and end. Sessions at the server are never shared by grants.",
        ),
        left="Handles that a server gives out in its answers and takes as arguments.",
        sources=(
            BEST_PRACTICES,
            Source(
                "Model Context Protocol, requests of several round trips",
                "2026-07-28",
                url=f"{SPECIFICATION}/basic/patterns/mrtr",
            ),
        ),
    ),
    Pattern(
        slug="approval-fatigue",
        name="Approval fatigue",
        line="So many prompts that people, or the agent itself, say yes.",
        happens=(
            "A client asks before every call. After the twentieth harmless one people"
            " click without reading, or choose to allow everything for good; the one"
            " that matters passes among them. Where the prompt is shown to the agent,"
            " the agent can answer it.",
        ),
        needs=(
            "a person who is asked too often, or a prompt inside the agent's reach",
        ),
        categories=("Write", "Execute", "Destructive", "Financial"),
        signals=("bulk", "irreversible", "moves_money"),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "tools": {
                "get_*": {},
                "update_*": {"rate_limit": "30/minute"},
                "create_refund": {
                    "approve_if": [
                        {
                            "conditions": [
                                {
                                    "path": "args.amount",
                                    "op": "gt",
                                    "value": 5000,
                                    "if_absent": "match",
                                }
                            ],
                            "reason": "Large refund",
                        }
                    ],
                    "approval": {"approvers": ["role:approver"], "quorum": 2},
                },
            },
            "tests": [
                {
                    "name": "small ones ask nobody",
                    "tool": "create_refund",
                    "args": {"amount": 1000},
                    "expect": "allow",
                },
                {
                    "name": "large ones ask two people",
                    "tool": "create_refund",
                    "args": {"amount": 9000},
                    "expect": "require_approval",
                },
            ],
        },
        does="Asks rarely and where it counts, and two people where it counts most.",
        also=(
            "Who asked cannot decide, unless the policy says so; a decision is a form"
            " posted by a signed-in person, never an answer of the client.",
            "Equal requests are joined, and a grant can have few open at a time.",
        ),
        left="A person who approves without reading.",
        sources=(
            Source(
                "WordPress MCP adapter, approvals before tools run",
                "2026-04-27",
                "issue 176",
                "https://github.com/WordPress/mcp-adapter/issues/176",
            ),
            owasp("06"),
        ),
    ),
)

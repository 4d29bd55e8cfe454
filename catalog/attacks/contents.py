"""Attacks through what a tool answers, or through what others write. Pure."""

from __future__ import annotations

from catalog.attacks.pattern import (
    CYBERARK,
    EXPERIMENTS,
    TRAIL_OF_BITS,
    Pattern,
    Source,
    arxiv,
    owasp,
)

CONTENTS = (
    Pattern(
        slug="tool-output-injection",
        name="Injection through answers",
        line="A page, a ticket or an error text that a tool returns gives orders.",
        happens=(
            "The tool is honest, its answer is not: a web page, an issue, a mail or an"
            " error message was written by somebody else and tells the model what to do"
            " next. The model has no sure way to tell data from orders, so it may go on"
            " with them, using every tool that it has.",
        ),
        needs=(
            "a place that an agent reads and strangers can write to",
            "a second tool worth abusing in the same session",
        ),
        categories=("Read", "Execute"),
        signals=("url", "free_code"),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "tools": {
                "fetch": {"rate_limit": "30/minute"},
                "list_*": {},
                "create_*": {
                    "action": "require_approval",
                    "reason": "After reading from outside, a person decides.",
                },
                "run_*": {"action": "deny", "reason": "Not beside the open web."},
            },
            "tests": [
                {"name": "reading goes on", "tool": "fetch", "expect": "allow"},
                {
                    "name": "writing waits",
                    "tool": "create_issue",
                    "expect": "require_approval",
                },
                {"name": "nothing runs", "tool": "run_command", "expect": "deny"},
            ],
        },
        does="Lets the agent read, and asks or refuses where an order in what it read"
        " would have an effect.",
        also=(
            "The person who approves sees the exact arguments, not the agent's summary"
            " of them.",
            "Answers are bounded in size and time.",
        ),
        left="Answers are passed on as they come. No filter finds every order in a"
        " text, and PolicyLayer does not claim to.",
        sources=(CYBERARK, EXPERIMENTS, owasp("10")),
    ),
    Pattern(
        slug="toxic-flow",
        name="Toxic flow",
        line="Private data, foreign text and a way out meet in one session.",
        happens=(
            "Each tool alone is fine. Together, a text that a stranger wrote (a public"
            " issue) makes the agent read something private (another repository) and"
            " publish it where the stranger looks (a pull request). No bug is needed.",
        ),
        needs=(
            "a tool that reads what strangers write",
            "a tool that reads what is private",
            "a tool that writes where others can see",
        ),
        categories=("Read", "Write"),
        signals=("recipient", "url", "secrets"),
        reach="stops",
        policy={
            "version": "1",
            "default": "deny",
            "all_tools": {
                "require": [
                    {
                        "path": "args.repo",
                        "op": "eq",
                        "value": "website",
                        "on_deny": "This grant works in one repository.",
                    }
                ]
            },
            "tools": {"get_*": {}, "list_*": {}, "create_pull_request": {}},
            "tests": [
                {
                    "name": "its own repository",
                    "tool": "get_file_contents",
                    "args": {"owner": "acme", "repo": "website"},
                    "expect": "allow",
                },
                {
                    "name": "no other one",
                    "tool": "get_file_contents",
                    "args": {"owner": "acme", "repo": "payroll"},
                    "expect": "deny",
                },
            ],
        },
        does="Takes one of the three away: this grant reaches one repository, for"
        " reading and for writing, whatever the agent was told.",
        also=(
            "Give reading and publishing to different grants, and no client both.",
            "Limits by `session` bound how much one session can carry away.",
        ),
        left="A policy judges one call by its arguments; it does not follow where data"
        " came from.",
        sources=(
            Source(
                "Invariant Labs, private repositories through GitHub MCP", "2025-05"
            ),
            Source("Simon Willison, the lethal trifecta", "2025-06-16"),
        ),
    ),
    Pattern(
        slug="raw-queries",
        name="Raw queries with wide rights",
        line="A row that a customer wrote makes the agent dump a table.",
        happens=(
            "The agent holds a tool that takes SQL and a database role that may read"
            " everything. A support ticket asks it, in passing, to read the table of"
            " tokens and to write the result into the same ticket; it does.",
        ),
        needs=(
            "a tool whose argument is a query, with a role that sees all rows",
            "a table that strangers write to and the agent reads",
        ),
        categories=("Execute", "Read", "Write"),
        signals=("free_query", "free_code"),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "tools": {
                "execute_sql": {
                    "require": [
                        {
                            "path": "args.query",
                            "op": "regex",
                            "value": "^(?i)select [a-z_, ]+ from support_tickets"
                            "( where id = [0-9]+)?$",
                            "on_deny": "Read support_tickets by id, nothing else.",
                        }
                    ],
                    "limits": [{"counter": "queries", "window": "hour", "max": 60}],
                }
            },
            "tests": [
                {
                    "name": "one ticket can be read",
                    "tool": "execute_sql",
                    "args": {
                        "query": "select id, text from support_tickets where id = 7"
                    },
                    "expect": "allow",
                },
                {
                    "name": "tokens cannot",
                    "tool": "execute_sql",
                    "args": {"query": "select * from integration_tokens"},
                    "expect": "deny",
                },
                {
                    "name": "nor through a second statement",
                    "tool": "execute_sql",
                    "args": {"query": "select id from support_tickets; drop table x"},
                    "expect": "deny",
                },
            ],
        },
        does="Allows statements of one anchored shape. What the pattern does not"
        " describe, down to the last character, is refused.",
        also=("`approve_if` can ask a person for statements of any other shape.",),
        left="A regular expression is no SQL parser: give the server a database role"
        " that may do no more than the agent should.",
        sources=(
            Source("General Analysis, a whole database through Supabase MCP", "2025"),
            owasp("10"),
        ),
    ),
    Pattern(
        slug="payment-redirection",
        name="Redirected payments",
        line="A bill or a message changes where the money goes.",
        happens=(
            "An agent is asked to pay a bill. The bill holds a sentence for the model:"
            " the account has changed, or a small fee goes to another one first. Amount"
            " and recipient of the transfer are then the attacker's, and the call looks"
            " like any other payment.",
        ),
        needs=(
            "a document that the agent reads before it pays",
            "a tool that moves money and takes its recipient as an argument",
        ),
        categories=("Financial",),
        signals=("amount", "recipient", "moves_money"),
        reach="stops",
        policy={
            "version": "1",
            "default": "deny",
            "tools": {
                "send_money": {
                    "require": [
                        {
                            "path": "args.recipient",
                            "op": "in",
                            "value": ["GB33BUKB20201555555555"],
                            "on_deny": "Only accounts that this policy names.",
                        },
                        {
                            "path": "args.amount",
                            "op": "lte",
                            "value": 500,
                            "on_deny": "At most 500.",
                        },
                    ],
                    "action": "require_approval",
                    "reason": "Moves money: a person decides.",
                    "limits": [
                        {
                            "counter": "paid",
                            "window": "day",
                            "max": 1000,
                            "sum": "args.amount",
                            "scope": "server",
                        }
                    ],
                }
            },
            "tests": [
                {
                    "name": "a known account waits for a person",
                    "tool": "send_money",
                    "args": {"recipient": "GB33BUKB20201555555555", "amount": 120},
                    "expect": "require_approval",
                },
                {
                    "name": "an unknown one is refused",
                    "tool": "send_money",
                    "args": {"recipient": "DE89370400440532013000", "amount": 1},
                    "expect": "deny",
                },
                {
                    "name": "the day has a total",
                    "tool": "send_money",
                    "args": {"recipient": "GB33BUKB20201555555555", "amount": 120},
                    "used": {"paid": 900},
                    "expect": "limit",
                },
            ],
        },
        does="Pays known accounts only, up to an amount for each call and for the day,"
        " and each time a person decides on the exact arguments.",
        also=(
            "An approval is bound to the arguments that were shown, and used up by one"
            " call.",
        ),
        left="Who may be paid at all must be kept up in the policy.",
        sources=(
            arxiv("2406.13352", "AgentDojo: injected transfers in a banking suite"),
            owasp("06"),
        ),
    ),
    Pattern(
        slug="conversation-theft",
        name="Theft of the conversation",
        line="A trigger phrase makes the model send the chat to a tool.",
        happens=(
            "A description tells the model that, once a certain phrase is said, it must"
            " pass everything said so far to a logging or feedback tool. Words such as"
            " a thank-you serve as trigger, so it fires when work is done and the chat"
            " is full of what is worth stealing.",
        ),
        needs=(
            "a listed tool with an argument that takes long free text",
            "a conversation that holds something secret",
        ),
        categories=("Write", "Other"),
        signals=("recipient",),
        reach="narrows",
        policy={
            "version": "1",
            "default": "deny",
            "tools": {
                "log_feedback": {
                    "require": [
                        {
                            "path": "args.text",
                            "op": "len_lt",
                            "value": 280,
                            "on_deny": "One or two sentences.",
                        }
                    ],
                    "rate_limit": "5/hour",
                }
            },
            "tests": [
                {
                    "name": "a sentence passes",
                    "tool": "log_feedback",
                    "args": {"text": "It worked."},
                    "expect": "allow",
                },
                {
                    "name": "a conversation does not",
                    "tool": "log_feedback",
                    "args": {"text": "Everything that was said so far. " * 12},
                    "expect": "deny",
                },
            ],
        },
        does="Free text is short and rare, so that little can leave with it.",
        also=(
            "Every call is on record with its arguments, so an unusually long one can"
            " be found afterwards.",
        ),
        left="Short secrets fit into short texts.",
        sources=(
            TRAIL_OF_BITS,
            Source(
                "Log-To-Leak",
                "2025",
                "OpenReview UVgbFuXPaO",
                "https://openreview.net/forum?id=UVgbFuXPaO",
            ),
            EXPERIMENTS,
        ),
    ),
)

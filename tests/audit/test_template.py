"""A template writes what the whole entry would be."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any, cast

from audit.entries import encode_call
from audit.template import Template
from policies.decision import Decision
from tests.audit.test_entries import entry
from tests.cases import cases


@cases(
    "changed",
    [
        {},
        {"judgement": None, "decision": "deny", "rule": "(revoked)", "reason": "Gone."},
        {
            "grant_id": None,
            "server_id": None,
            "policy_id": None,
            "policy_version": None,
        },
        {"arguments": b'{"a":1}'},
        {"arguments": b"1" * 8192},
        {"arguments": b"1" * 8193},
        {"arguments": b"1" * 8192, "client": "\x1f" * 2000},
        {"client": "\ud800", "arguments": b"{}"},
        {"grant": "\ud800", "arguments": b"{}"},
        {"name": "ü\0\n<b>", "client": "😀"},
        {"approval": uuid.UUID(int=7)},
        {"approval": uuid.UUID(int=7), "arguments": b"1" * 8193},
    ],
)
def test_a_template_writes_what_the_whole_entry_is(changed: dict[str, Any]) -> None:
    whole = entry(**changed)
    common = replace(whole, method="", name="", judgement=None, client="", era="")
    common.approval = None
    written = Template(common).encode(
        whole.id,
        whole.method,
        whole.name,
        (whole.client, whole.era, whole.revision),
        whole.arguments,
        whole.judgement,
        Decision(cast(Any, whole.decision), whole.rule, whole.reason or None),
        whole.approval,
    )
    assert written == encode_call(whole)

"""Verdicts of the guide's examples, of one definition anywhere, with annotations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.classifier.grading import SEVERITIES
from catalog.classifier.judging import MOST_SIGNALS, classify
from catalog.classifier.lexicon import PRECEDENCE
from tests.cases import cases


def tool(name: str, description: str = "", **parameters: Any) -> dict[str, Any]:
    properties = {
        key: value if isinstance(value, dict) else {"type": value}
        for key, value in parameters.items()
    }
    schema = {"type": "object", "properties": properties}
    return {"name": name, "description": description, "inputSchema": schema}


SQL, OPERATION = {"type": "string"}, {"enum": ["create", "read", "delete"]}

# docs/labelling.md, decided by example.
GUIDE = [
    (tool("cancel_run", "Cancels a run."), "Destructive"),
    (tool("cancel_order", "Cancels an open order."), "Financial"),
    (tool("stop_instance", "Stops a machine."), "Execute"),
    (tool("terminate_instance", "Ends a machine."), "Destructive"),
    (tool("archive_project", "Archives a project."), "Write"),
    (tool("close_issue", "Closes an issue."), "Write"),
    (tool("resolve_ticket", "Resolves a ticket."), "Write"),
    (tool("revoke_token", "Revokes a token."), "Destructive"),
    (tool("grant_permission", "Grants a permission."), "Write"),
    (tool("remove_member", "Removes a member."), "Destructive"),
    (tool("detach_policy", "Detaches a policy."), "Write"),
    (tool("upsert_rows", "Upserts rows."), "Write"),
    (tool("run_sql", "Runs a SQL statement.", sql=SQL), "Execute"),
    (tool("execute_query", "Executes a read-only SQL query.", sql=SQL), "Read"),
    (tool("manage_table", "Manages a table.", operation=OPERATION), "Destructive"),
    (tool("clear_cache", "Clears the cache."), "Destructive"),
    (tool("clear_console", "Clears the console."), "Other"),
    (tool("send_email", "Sends an e-mail.", to="string"), "Write"),
    (tool("receive_message", "Receives messages."), "Read"),
    (tool("generate_code", "Generates code.", prompt="string"), "Other"),
    (tool("generate_code", "Generates code.", output_path="string"), "Write"),
    (tool("take_screenshot", "Takes a screenshot."), "Read"),
    (tool("take_screenshot", "Takes a screenshot.", save_path="string"), "Write"),
    (tool("browser_click", "Clicks an element.", selector="string"), "Execute"),
    (tool("browser_close", "Closes the browser."), "Execute"),
    (tool("browser_snapshot", "Accessibility snapshot of the page."), "Read"),
    (tool("create_index", "Creates an index."), "Write"),
    (tool("drop_index", "Drops an index."), "Destructive"),
    (tool("deploy_stack", "Deploys a stack."), "Execute"),
    (tool("create_cluster", "Creates a cluster."), "Write"),
    (tool("git_commit", "Commits what is staged."), "Write"),
    (tool("git_reset", "Unstages all changes."), "Destructive"),
    (tool("git_push", "Pushes commits."), "Write"),
    (tool("create_invoice", "Creates an invoice."), "Financial"),
    (tool("list_invoices", "Lists invoices."), "Read"),
    (tool("create_refund", "Refunds a charge."), "Financial"),
    (tool("create_customer", "Creates a customer."), "Write"),
    (tool("place_order", "Places an order."), "Financial"),
    (tool("add_numbers", "Adds two numbers.", a="number", b="number"), "Other"),
    (tool("wait_for_text", "Waits for a text."), "Other"),
    (tool("echo", "Gives back its input."), "Other"),
    (tool("connect_to_database", "Connects for this session."), "Other"),
]


@cases(("definition", "category"), GUIDE, ids=lambda x: str(x)[:40])
def test_the_guide(definition, category):
    assert classify(definition).category == category


def test_the_tool_that_the_published_pages_disagree_about():
    verdict = classify(tool("CancelAHORunBatch", "Cancel the runs of a batch."))
    assert (verdict.category, verdict.severity) == ("Destructive", "critical")
    assert not verdict.doubtful
    assert verdict.evidence[0].field == "name"
    assert verdict.evidence[0].words == ("cancel",)


def test_a_description_that_begins_with_a_removal_outweighs_a_harmless_name():
    verdict = classify(tool("get_info", "Deletes all files of the user."))
    assert verdict.category == "Destructive"
    assert verdict.doubtful or verdict.severity == "critical"


def test_a_claim_to_be_read_only_does_not_clear_a_clear_name():
    assert classify(tool("delete_all", "A read-only tool.")).category == "Destructive"


def test_a_switch_that_removes_raises():
    plain = tool("rename_collection", "Renames a collection.", new="string")
    switch = tool("rename_collection", "Renames a collection.", dropTarget="boolean")
    assert classify(plain).category == "Write"
    assert classify(switch).category == "Destructive"


def test_any_operation_by_its_name():
    free = {"command": "string", "parameters": "object"}
    text = "Manages storage accounts."
    assert classify(tool("storage", text, **free)).category == "Execute"
    text = "Creates, lists and deletes storage accounts."
    assert classify(tool("storage", text, **free)).category == "Destructive"


@cases("description", ["", "   ", None, 7])
def test_no_description_lowers_confidence_and_says_so(description):
    plain = {"name": "list_files"}
    with_text = classify(plain | {"description": "Lists the files."})
    without = classify(plain | {"description": description})
    assert without.category == with_text.category == "Read"
    assert without.confidence < 0.6 <= with_text.confidence
    assert (without.severity, with_text.severity) == ("high", "low")
    assert not without.described
    assert without.doubtful
    assert "There is no description." in [e.why for e in without.evidence]


# Same definition, same verdict.


def test_the_server_is_not_asked():
    """Its name is no part of a definition; a prefix of one decides nothing."""
    for prefix in ("", "acme_", "zebra-", "kv.", "github_"):
        verdict = classify(tool(f"{prefix}delete_item", "Deletes an item."))
        assert (verdict.category, verdict.severity) == ("Destructive", "critical")


SCRIPT = """
import json, sys
from catalog.classifier.judging import classify
for line in sys.stdin:
    print(json.dumps(classify(json.loads(line)).as_json()))
"""


def verdicts_with(seed: str) -> str:
    lines = "\n".join(json.dumps(definition) for definition, _ in GUIDE)
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=lines,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_every_process_says_the_same():
    first = verdicts_with("1")
    assert len(first.splitlines()) == len(GUIDE)
    assert first == verdicts_with("2") == verdicts_with("77")


def test_the_order_of_keys_is_nothing():
    definition = tool("set_thing", "Sets it.", a="string", url="string", sql="string")
    turned = json.loads(json.dumps(definition))
    turned["inputSchema"]["properties"] = dict(
        reversed(turned["inputSchema"]["properties"].items())
    )
    assert classify(definition) == classify(turned)


# Annotations raise and never lower.

HINTS = st.dictionaries(
    st.sampled_from(
        ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint", "title"]
    ),
    st.one_of(st.booleans(), st.none(), st.text(max_size=3)),
)
ANY_TOOL = st.builds(
    lambda name, text, given: {
        "name": name,
        "description": text,
        "inputSchema": {"properties": {key: {"type": "string"} for key in given}},
    },
    st.one_of(
        st.sampled_from([definition["name"] for definition, _ in GUIDE]),
        st.text(min_size=1, max_size=20),
    ),
    st.sampled_from([d["description"] for d, _ in GUIDE] + ["", "It is irreversible."]),
    st.lists(st.sampled_from(["sql", "code", "url", "path", "amount", "to"])),
)


@settings(max_examples=300, deadline=None)
@given(ANY_TOOL, HINTS)
def test_annotations_can_raise_but_not_lower(definition, hints):
    without, with_hints = (
        classify(definition),
        classify(definition | {"annotations": hints}),
    )
    worse = SEVERITIES.index(with_hints.severity) >= SEVERITIES.index(without.severity)
    assert worse
    ranks = PRECEDENCE.index
    assert ranks(with_hints.category) <= ranks(without.category)
    assert with_hints.confidence <= without.confidence
    assert without.doubtful <= with_hints.doubtful


def test_annotations_do_raise():
    plain = tool("update_row", "Updates a row.")
    raised = classify(plain | {"annotations": {"destructiveHint": True}})
    assert classify(plain).severity == "medium"
    assert raised.severity == "high"
    assert raised.evidence[-1].field == "annotations"
    writes = classify(
        tool("get_row", "Gets a row.") | {"annotations": {"readOnlyHint": False}}
    )
    assert writes.severity == "medium"
    assert writes.confidence < classify(tool("get_row", "Gets a row.")).confidence


def test_many_signals_crowd_none_out_of_the_severity():
    urls = {f"group{n}": {"properties": {"url": {"type": "string"}}} for n in range(99)}
    last = {"properties": {"code": {"type": "string"}}}
    crowded = tool("run_it", "Runs it.", **urls, z=last)
    verdict = classify(crowded)
    assert len(verdict.signals) == MOST_SIGNALS
    assert verdict.severity == "critical"

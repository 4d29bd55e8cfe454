"""What the published pages of five servers promise of their recommended policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.compile import CompiledPolicy, compile_document
from policies.decide import visible_tool
from policies.document import parse
from policies.facts import Tool
from tests.cases import cases
from tests.policies.engine import decided, outcome

SEEDS = Path(__file__).parent / "data" / "seed"
TOOL = "CancelAHORunBatch"
COUNTER = "cancelahorunbatch_rate"

DESTRUCTIVE = [
    "aws-labs-cloudtrail.json",
    "amazon-data-processing.json",
    "aws-step-functions-tool.json",
]
RATES = [("amazon-eks.json", 10), ("awslabs-valkey.json", 60)]


def seed(file: str) -> CompiledPolicy:
    return compile_document(parse((SEEDS / file).read_text()))


@cases("file", DESTRUCTIVE)
def test_gone_from_the_list_and_any_attempt_denied(file):
    policy = seed(file)
    assert not visible_tool(policy, TOOL, Tool(TOOL))
    assert outcome(policy, name=TOOL) == ("hide", "(hidden)")
    assert outcome(policy, name="ListRuns") == ("hide", "(default deny)")


@pytest.mark.parametrize(("file", "most"), RATES)
def test_usable_at_most_so_often_a_minute_and_grant(file, most):
    policy = seed(file)
    assert visible_tool(policy, TOOL, Tool(TOOL))
    assert not visible_tool(policy, "ListRuns", Tool("ListRuns"))
    assert outcome(policy, used={COUNTER: most - 1}, name=TOOL) == ("allow", None)
    full = decided(policy, used={COUNTER: most}, name=TOOL)
    assert (full.decision, full.rule) == ("limit", f"/tools/{TOOL}/limits/0")
    assert outcome(policy, name="ListRuns") == ("hide", "(default deny)")
    [use] = policy.resolve(TOOL).enforced.uses or ()
    assert (use.window, use.scope, use.max) == (60, "grant", most * 1_000_000)

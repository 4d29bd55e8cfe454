"""What the README shows is true of this code."""

from __future__ import annotations

import re

from policies.compile import compile_document
from policies.document import parse
from tests.run.made import ROOT

README = (ROOT / "README.md").read_text()


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) >= 7
    assert [to for to in links if "://" not in to and not (ROOT / to).exists()] == []


def test_every_command_is_a_target_of_the_makefile():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert {"run", "test"} <= set(commands) <= set(targets)


def test_the_policy_is_a_policy():
    (block,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    policy = compile_document(parse(block))
    assert policy.entry_digest("create_refund") != policy.entry_digest("list_charges")

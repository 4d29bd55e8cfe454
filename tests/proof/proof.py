"""What all parts of the proof use, and the two promises that documents make."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.proof.agent import Agent
from tests.proof.bridges import Bridge
from tests.proof.emulator import Emulator
from tests.proof.person import EMAIL, Person
from tests.proof.report import Report
from tests.system.running import RunningSystem

UNKNOWN = -32602
NOBODYS = "NoSuchTool"


@dataclass
class Proof:
    report: Report
    system: RunningSystem
    person: Person
    emulator: Emulator
    valkey: str  # the URL of the Valkey that the server of that name uses
    work: Path
    bridges: dict[str, Bridge] = field(default_factory=dict)

    def apply(self, server: str, policy: str, text: str) -> dict[str, str]:
        """As a file in git would: the grant of this policy, made the first time."""
        (self.system.data_dir / f"{policy}.json").write_text(text)
        wanted = {
            "organization": {"slug": "acme"},
            "policies": [{"name": policy, "server": server, "file": f"{policy}.json"}],
            "grants": [
                {"label": policy, "member": EMAIL, "server": server, "policy": policy}
            ],
        }
        grant: dict[str, str] = self.system.apply(wanted)["grants"][0]
        return grant


@dataclass
class Attempt:
    """One tool of one server behind one grant."""

    agent: Agent
    bridge: Bridge
    tool: str
    arguments: dict[str, Any]

    def passes(self) -> str:
        """The server's own answer, which may be an error of its own."""
        before = self.bridge.reached(self.tool)
        answer = self.agent.call(self.tool, self.arguments)
        assert answer.from_server, f"the gateway refused it: {answer}"
        assert self.bridge.reached(self.tool) == before + 1, "it did not reach it"
        return answer.text

    def is_unknown(self) -> None:
        """Not listed, and answered as a tool that nobody has, without being sent."""
        before = self.bridge.reached(self.tool)
        assert self.tool not in self.agent.tools(), "it is listed"
        refused = self.agent.call(self.tool, self.arguments)
        stranger = self.agent.call(NOBODYS, {})
        assert refused.code == UNKNOWN, f"it was answered {refused}"
        assert refused.text == f"Unknown tool: {self.tool}"
        alike = stranger._replace(text=stranger.text.replace(NOBODYS, self.tool))
        assert alike == refused, f"{refused} is not {stranger}"
        assert self.bridge.reached(self.tool) == before, "it reached the server"

    def is_limited_after(self, most: int) -> str:
        before, begun = self.bridge.reached(self.tool), time.monotonic()
        for answer in self.agent.calls(self.tool, self.arguments, most):
            assert answer.from_server, f"one of the first {most}: {answer}"
        assert self.bridge.reached(self.tool) == before + most, "some did not reach it"
        took = time.monotonic() - begun
        refused = self.agent.call(self.tool, self.arguments)
        assert took < 60, f"{most} calls took {took:.0f} s: the minute was over"
        assert refused.rule == f"/tools/{self.tool}/limits/0", f"answered {refused}"
        # A minute, and the second of it that the first call shares.
        wait = refused.retry_after or 0
        assert 0 < wait <= 61, f"retry after {wait} s"
        assert self.bridge.reached(self.tool) == before + most, "one too many"
        then = f"then retry after {wait:.0f} s"
        return f"{most} reached the server in {took:.1f} s, {then}"

    def is_all_there_is(self, other: str) -> None:
        assert self.agent.tools() == [self.tool]
        assert self.agent.call(other, {}).code == UNKNOWN

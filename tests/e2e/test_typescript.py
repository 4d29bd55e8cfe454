"""The official TypeScript clients, on which most agents are built, through a started
gateway to the reference server: the package of the handshake era, and its successor
in both eras."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Acme

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.node,
    pytest.mark.timeout(60),
    pytest.mark.xdist_group("e2e"),
]
VISIT = Path(__file__).with_name("typescript.mjs")
META = "io.policylayer/"


def visit(world: Acme, base: str, package: str, era: str) -> Any:
    url = f"{base}/mcp/{world.server.public_id}"
    argv = ["node", str(VISIT), package, era, url, world.token]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=40)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def ended(world: Acme) -> list[str]:
    """The outcomes, once the cancelled call has its own."""
    deadline = time.monotonic() + 10
    while "cancelled" not in world.outcomes() and time.monotonic() < deadline:
        time.sleep(0.05)
    return world.outcomes()


@pytest.mark.parametrize(
    ("package", "era"), [("sdk", "legacy"), ("client", "legacy"), ("client", "modern")]
)
def test_a_visit(
    world: Acme, everything: str, gateways: tuple[str, str], package: str, era: str
) -> None:
    world.register(everything)
    world.publish(hide=["get-env"], tools={"get-sum": {"action": "deny"}})

    seen = visit(world, gateways[0], package, era)

    assert seen["revision"] == {"legacy": "2025-11-25", "modern": "2026-07-28"}[era]
    assert {"echo", "get-sum"} <= set(seen["tools"]) and "get-env" not in seen["tools"]
    assert seen["allowed"]["content"][0]["text"] == "Echo: hello"
    assert seen["denied"]["isError"] is True
    assert seen["denied"]["_meta"][f"{META}rule"] == "/tools/get-sum/action"
    assert seen["hidden"]["code"] == -32602
    assert seen["hidden"]["message"].endswith("Unknown tool: get-env")
    assert seen["progress"] == [1, 2]
    assert not seen["long"].get("isError")
    assert "enough" in seen["cancelled"]["message"]
    assert seen["resource"]["contents"] and "simple-prompt" in seen["prompts"]
    assert seen["errors"] == []
    assert ended(world).count("cancelled") == 1 and "unknown" not in ended(world)

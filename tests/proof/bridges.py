"""A stdio server as a streamable HTTP one on loopback.

The bridge is mcp-proxy: kept up, written with the official SDK, in use where such
servers are deployed, and none of our code, so that what is proven of the gateway is not
proven against ourselves. The one thing that it does not say, which call came to the
server, is noted by tee.py on the server's own standard input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.children import Plan
from tests.proof.environments import Environment
from tests.proof.processes import answers, running
from tests.run.made import free_port

TEE = Path(__file__).with_name("tee.py")


class Bridge:
    def __init__(self, url: str, noted: Path) -> None:
        self.url, self.noted = url, noted

    def reached(self, tool: str) -> int:
        """How many calls of it the server was sent since it started."""
        lines = self.noted.read_text().splitlines()
        return [json.loads(line) for line in lines].count(["tools/call", tool])


@contextmanager
def bridged(
    proxy: Environment, server: list[str], env: dict[str, str], work: Path, name: str
) -> Iterator[Bridge]:
    port, noted = free_port(), work / f"{name}.calls"
    noted.touch()
    home = work / f"{name}.home"
    home.mkdir()
    argv = [proxy.script("mcp-proxy"), "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--pass-environment", "--", sys.executable, "-I", str(TEE), str(noted)]
    own = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8"}
    plan = Plan(
        name=f"the bridge of {name}",
        argv=[*argv, *server],
        env=own | env,
        ready=lambda: answers(port),
        cwd=str(home),
    )
    with running(plan, work / f"{name}.log"):
        yield Bridge(f"http://127.0.0.1:{port}/mcp", noted)

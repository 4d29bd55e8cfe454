"""The real sandbox as a process of its own, on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:
            assert process.poll() is None, "the sandbox ended at its start"
            time.sleep(0.02)
    raise AssertionError("the sandbox did not start")


@contextmanager
def running_sandbox() -> Iterator[str]:
    """The URL of its MCP endpoint."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "servers.sandbox"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"SANDBOX_PORT": str(port)},
    )
    try:
        _wait(port, process)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(10)

"""Stands before a stdio server and notes every message that reaches it.

    python tee.py LOG COMMAND [ARGUMENT ...]

LOG gets one line a message, `["tools/call", "echo"]`: its method, and the tool's name
where it has one. Standard library only: it is run as a file. What the server says goes
straight to the bridge.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import IO


def main(log: str, *command: str) -> int:
    server = subprocess.Popen(command, stdin=subprocess.PIPE)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    assert server.stdin
    try:
        with open(log, "a", buffering=1) as noted:
            for line in sys.stdin.buffer:
                pass_on(line, server.stdin)
                print(json.dumps(described(line)), file=noted)
        server.stdin.close()
    except BrokenPipeError:
        pass  # the server ended: its own status says why
    return server.wait()


def pass_on(line: bytes, server: IO[bytes]) -> None:
    server.write(line)
    server.flush()


def described(line: bytes) -> list[str | None]:
    message = json.loads(line)
    params = message.get("params") or {}
    return [message.get("method"), params.get("name")]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

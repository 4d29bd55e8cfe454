"""A server over standard input and output that does what its first argument says.

Of the standard library alone, and run as whoever the cell chooses. Every method that it
is asked is written to `asked` in its HOME, what it is answered to `answered`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HOME = Path(os.environ["HOME"])
TOOLS = [{"name": f"tool_{n}", "inputSchema": {"type": "object"}} for n in range(5)]
CAPABILITIES: dict[str, Any] = {"tools": {}, "prompts": {}, "resources": {}}


def say(message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def note(name: str, text: str) -> None:
    with (HOME / name).open("a") as file:
        file.write(text + "\n")


def named(*names: str) -> dict[str, Any]:
    return {"tools": [{"name": name, "inputSchema": {}} for name in names]}


class Plain:
    """Lists its tools two a page, with prompts, resources and templates."""

    def initialize(self, params: dict[str, Any]) -> Any:
        return {
            "protocolVersion": "2025-06-18",
            "capabilities": CAPABILITIES,
            "serverInfo": {"name": "fake", "version": "1.2", "secret": "no"},
        }

    def tools_list(self, params: dict[str, Any]) -> Any:
        begin = int(params.get("cursor", 0))
        page: dict[str, Any] = {"tools": TOOLS[begin : begin + 2]}
        return page | ({"nextCursor": str(begin + 2)} if begin + 2 < len(TOOLS) else {})

    def prompts_list(self, params: dict[str, Any]) -> Any:
        return {"prompts": [{"name": "greet"}]}

    def resources_list(self, params: dict[str, Any]) -> Any:
        return {"resources": [{"uri": "file:///a", "name": "a"}]}

    def resources_templates_list(self, params: dict[str, Any]) -> Any:
        return {"resourceTemplates": [{"uriTemplate": "file:///{a}", "name": "t"}]}

    def server_discover(self, params: dict[str, Any]) -> Any:
        return None


class Loop(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        return {"tools": TOOLS[:1], "nextCursor": "again"}


class Endless(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        number = int(params.get("cursor", 0)) + 1
        return {"tools": TOOLS[:1], "nextCursor": str(number)}


class Garbage(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        sys.stdout.write('Starting up\n[1, 2]\n{"jsonrpc": "2.0", "id": NaN}\n\n')
        say({"jsonrpc": "2.0", "id": 999, "result": {"tools": []}})
        say({"jsonrpc": "2.0", "method": "notifications/message", "params": {}})
        return super().tools_list(params)


class Huge(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        sys.stdout.write("x" * (9 << 20) + "\n")


class Flood(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        line = json.dumps({"jsonrpc": "2.0", "method": "x", "params": "x" * 60_000})
        while True:
            sys.stdout.write(line + "\n")


class Silent(Plain):
    def initialize(self, params: dict[str, Any]) -> Any:
        time.sleep(300)


class Hog(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        held = []
        while True:
            held.append(b"x" * (8 << 20))


class Reserve(Plain):
    """Much address space and little memory, as node and others take it."""

    def tools_list(self, params: dict[str, Any]) -> Any:
        import mmap

        self.held = mmap.mmap(-1, 64 << 30, prot=0, flags=mmap.MAP_PRIVATE)
        return named("reserved")


class Bomb(Plain):
    """Each starts the next, in a session of its own that no process group knows."""

    def tools_list(self, params: dict[str, Any]) -> Any:
        again = "while :; do setsid sleep 301 & done"
        subprocess.run(["/bin/sh", "-c", again], stderr=subprocess.DEVNULL)
        time.sleep(300)  # the kernel's bound may have been reached before a look


class Disk(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        for number in range(64):
            (HOME / f"file{number}").write_bytes(b"x" * (1 << 20))
        time.sleep(300)


class Large(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        try:
            (HOME / "large").write_bytes(b"x" * (64 << 20))
        except OSError as error:
            return named(type(error).__name__, os.strerror(error.errno or 0))


class Who(Plain):
    """Tells of itself in names of tools."""

    def tools_list(self, params: dict[str, Any]) -> Any:
        (HOME / ".written").write_text("here")
        ids = (os.getuid(), os.geteuid(), os.getgid())
        return named(
            *(f"uid={uid}" for uid in ids),
            f"groups={sorted(set(os.getgroups()) - {os.getgid()})}",
            f"home={HOME}",
            f"network={self.reaches(int(sys.argv[2]))}",
            *(f"env={name}={value}" for name, value in os.environ.items()),
            *(f"arg={each}" for each in sys.argv[2:]),
            f"raised={self.raised()}",
        )

    def reaches(self, port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 2).close()
        except OSError:
            return False
        return True

    def raised(self) -> str:
        """Whether a program with the set-user-id bit would be given its rights."""
        status = Path("/proc/self/status").read_text()
        return status.partition("NoNewPrivs:")[2].split()[0]


class Orphans(Plain):
    """Leaves three behind: a child, one of its own session, one without a parent."""

    def tools_list(self, params: dict[str, Any]) -> Any:
        script = f"sleep {sys.argv[2]} & setsid sleep {sys.argv[2]} &"
        for start_new_session in (False, True):
            subprocess.run(
                ["/bin/sh", "-c", script], start_new_session=start_new_session
            )
        return named("left")


class Asks(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        for number, method in enumerate(
            ("sampling/createMessage", "roots/list", "elicitation/create", "ping")
        ):
            asked = {"jsonrpc": "2.0", "id": f"s{number}", "method": method}
            say(asked | {"params": {"messages": []}})
            note("answered", sys.stdin.readline().strip())
        return super().tools_list(params)


class Begs(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        while True:
            say({"jsonrpc": "2.0", "id": 1, "method": "roots/list"})
            sys.stdin.readline()


class Modern(Plain):
    """Knows no handshake."""

    def initialize(self, params: dict[str, Any]) -> Any:
        return None

    def server_discover(self, params: dict[str, Any]) -> Any:
        note("answered", json.dumps(params))
        info = {"name": "modern", "version": "2"}
        return {
            "supportedVersions": ["2026-07-28"],
            "capabilities": CAPABILITIES,
            "_meta": {"io.modelcontextprotocol/serverInfo": info},
        }


class Bare(Plain):
    """Announces nothing and has tools all the same."""

    def initialize(self, params: dict[str, Any]) -> Any:
        return super().initialize(params) | {"capabilities": {}}

    def prompts_list(self, params: dict[str, Any]) -> Any:
        return None


class Broken(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        sys.stderr.write("no account \u202eset\n")
        sys.exit(3)


class Refuses(Plain):
    def tools_list(self, params: dict[str, Any]) -> Any:
        return None


def answer(fake: Plain, message: dict[str, Any]) -> None:
    method = message["method"]
    note("asked", method)
    if "id" not in message:
        return
    handler = getattr(fake, method.replace("/", "_"), lambda params: None)
    result = handler(message.get("params", {}))
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
    if result is None:
        say(body | {"error": {"code": -32601, "message": f"no {method}"}})
    else:
        say(body | {"result": result})


def main() -> None:
    kind = getattr(sys.modules[__name__], sys.argv[1].capitalize())
    fake = kind()
    for line in sys.stdin:
        answer(fake, json.loads(line))


if __name__ == "__main__":
    main()

"""Whether a part does its work, asked from outside."""

import http.client
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from config.run.options import HOST

# The recorder touches its file every second.
FRESH_SECONDS = 5.0


def web_answers(env: Mapping[str, str]) -> Callable[[], bool]:
    """Pages and gateway: one process, two halves, each asked for itself."""
    port, name = int(env["PORT"]), urlsplit(env["BASE_URL"]).netloc
    return lambda: all(
        status(port, path, name) == 200 for path in ("/healthz", "/mcp/health")
    )


def gateway_problem(env: Mapping[str, str]) -> Callable[[], str]:
    """What the gateway itself says about it, as of a Valkey that is set up wrong."""
    port, name = int(env["PORT"]), urlsplit(env["BASE_URL"]).netloc
    return lambda: ask(port, "/mcp/health", name)[1]


def sandbox_answers(env: Mapping[str, str]) -> Callable[[], bool]:
    port = int(env["SANDBOX_PORT"])
    return lambda: status(port, "/healthz", f"{HOST}:{port}") == 200


def recorder_beats(env: Mapping[str, str]) -> Callable[[], bool]:
    path, asked = Path(env["RECORDER_HEARTBEAT"]), time.time()

    def beats() -> bool:
        try:
            touched = path.stat().st_mtime
        except FileNotFoundError:
            return False
        return touched >= asked and time.time() - touched < FRESH_SECONDS

    return beats


def status(port: int, path: str, host: str) -> int:
    return ask(port, path, host)[0]


def ask(port: int, path: str, host: str) -> tuple[int, str]:
    """Status and text of a GET on loopback; 0 for no answer."""
    link = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        link.request("GET", path, headers={"Host": host, "Accept": "*/*"})
        answer = link.getresponse()
        return answer.status, answer.read(1000).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        link.close()


READY: dict[str, Callable[[Mapping[str, str]], Callable[[], bool]]] = {
    "web": web_answers,
    "sandbox": sandbox_answers,
    "recorder": recorder_beats,
    "running": lambda env: lambda: True,
}
PROBLEM = {"web": gateway_problem}

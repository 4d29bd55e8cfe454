"""The started parts that the benchmark measures, all on loopback."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks import nginx
from config.embedded import erase, start_postgres, start_valkey

ROOT = Path(__file__).resolve().parent.parent

POLICY = {
    "version": "1",
    "default": "deny",
    "validate_arguments": True,
    "all_tools": {
        "limits": [{"counter": "calls", "window": "minute", "max": 9_000_000_000}]
    },
    "tools": {
        "create_refund": {
            "require": [
                {"path": "args.currency", "op": "in", "value": ["usd", "eur"]},
                {"path": "args.charge", "op": "starts_with", "value": "ch_"},
                {"path": "args.amount", "op": "lte", "value": 50000},
            ],
            "deny_if": [
                {
                    "conditions": [
                        {"path": "args.note", "op": "regex", "value": "(?i)chargeback"},
                        {"path": "args.amount", "op": "gt", "value": 100},
                    ]
                },
                {
                    "conditions": [
                        {"path": "grant.tags", "op": "contains", "value": "retired"}
                    ]
                },
            ],
            "limits": [
                {"counter": "refunds", "window": "hour", "max": 9_000_000_000},
                {
                    "counter": "refunded",
                    "window": "day",
                    "max": 9_000_000_000,
                    "sum": "args.amount",
                    "scope": "server",
                },
            ],
        }
    },
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class System:
    """Ports, the grant, and the process ids whose CPU time is read."""

    ports: dict[str, int] = field(default_factory=dict)
    pids: dict[str, list[int]] = field(default_factory=dict)
    path: str = ""
    token: str = "none"
    env: dict[str, str] = field(default_factory=dict)

    def cpu(self, part: str) -> float:
        """User and system seconds that a part has used so far, children included."""
        used = 0.0
        for pid in self.pids[part]:
            process = psutil.Process(pid)
            for each in [process, *process.children(recursive=True)]:
                times = each.cpu_times()
                used += times.user + times.system
        return used

    def manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


def wait_for(port: int, path: str, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@contextlib.contextmanager
def started(
    folder: Path, repeats_env: dict[str, str] | None = None
) -> Iterator[System]:
    system = System()
    with contextlib.ExitStack() as stack:

        def start(part: str, command: list[str]) -> None:
            log = stack.enter_context((folder / f"{part}.log").open("wb"))
            process = subprocess.Popen(
                command, cwd=ROOT, env=system.env, stdout=log, stderr=log
            )
            system.pids[part] = [process.pid]
            stack.callback(stop, process)

        stack.callback(erase, folder)
        postgres, valkey = start_postgres(folder), start_valkey(folder)
        stack.callback(postgres.stop)
        stack.callback(valkey.stop)
        system.pids["valkey"] = [valkey.pid]
        for name in ("upstream", "gateway", "nginx"):
            system.ports[name] = free_port()
        system.env = environment(folder, postgres.url, valkey.url, system.ports)
        start_parts(system, folder, start)
        yield system


def start_parts(system: System, folder: Path, start: Any) -> None:
    ports = system.ports
    start(
        "upstream",
        [sys.executable, "-m", "benchmarks.upstream", str(ports["upstream"])],
    )
    system.manage("migrate", "-v0")
    start("recorder", [sys.executable, "manage.py", "record"])
    start("gateway", gateway_command(ports["gateway"]))
    if binary := nginx.find():
        start(
            "nginx",
            nginx.command(binary, folder / "nginx", ports["nginx"], ports["upstream"]),
        )
    else:
        print("SKIPPED: nginx is not installed and could not be; no ratio to it.")
    wait_for(ports["gateway"], "/mcp/health")
    grant(system, folder)


def gateway_command(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "uvicorn", "config.asgi:application"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--loop", "uvloop", "--http", "gateway.protocol:Protocol", "--ws", "none"),
        *("--lifespan", "on", "--no-access-log", "--no-server-header"),
        *("--no-proxy-headers", "--log-level", "warning"),
    ]


def grant(system: System, folder: Path) -> None:
    """One organization, server, policy and grant, made as teams make them."""
    wanted = {
        "organization": {"slug": "bench", "name": "Bench", "zone": "Etc/UTC"},
        "members": [{"email": "owner@example.com", "role": "owner"}],
        "servers": [
            {
                "name": "fixed",
                "url": f"http://127.0.0.1:{system.ports['upstream']}/mcp",
            }
        ],
        "policies": [{"name": "refunds", "server": "fixed", "document": POLICY}],
        "grants": [
            {
                "label": "bench",
                "member": "owner@example.com",
                "server": "fixed",
                "policy": "refunds",
            }
        ],
    }
    file = folder / "bench.json"
    file.write_text(json.dumps(wanted))
    made = json.loads(system.manage("apply", str(file), "--json"))["grants"][0]
    system.token = made["token"]
    system.path = "/mcp/" + made["endpoint"].rsplit("/mcp/", 1)[1]


def environment(
    folder: Path, database: str, valkey: str, ports: dict[str, int]
) -> dict[str, str]:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return os.environ | {
        "DATA_DIR": str(folder),
        "DATABASE_URL": database,
        "REDIS_URL": valkey,
        "PORT": str(ports["gateway"]),
        "SECRET_KEY": secrets.token_urlsafe(40),
        "ENCRYPTION_KEYS": json.dumps({"current": "k1", "keys": {"k1": key}}),
        "ALLOW_PRIVATE_UPSTREAMS": "1",
    }


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

"""Real processes: two gateways, the sandbox, the npm reference server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
import redis
from django.conf import settings
from django.db import connection
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from accounts.models import Membership, Organization
from audit import entries
from policies import granting, publishing
from policies.models import Policy
from servers import registering
from servers.discovery import discover
from servers.models import Server
from tests.gateway.conftest import decided_calls
from tests.gateway.threads import let_go
from tests.http_clients import http
from tests.run.forks import Forked, Forks, forking

EVERYTHING = Path(
    settings.BASE_DIR,
    "tests/node_modules/@modelcontextprotocol/server-everything/dist/index.js",
)
UVICORN = (
    *("-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1"),
    *("--loop", "uvloop", "--http", "gateway.protocol:Protocol"),
    *("--ws", "none", "--lifespan", "on"),
    *("--no-access-log", "--no-server-header", "--no-proxy-headers"),
    *("--timeout-graceful-shutdown", "2", "--log-level", "warning"),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, lives: Callable[[], bool], seconds: float = 30) -> None:
    """Until it answers at all, whatever it says."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            assert lives(), f"{url} ended at its start"
            time.sleep(0.05)
    raise AssertionError(f"{url} did not start")


@contextmanager
def process(argv: list[str], env: dict[str, str], url: str) -> Iterator[str]:
    started = subprocess.Popen(
        argv, cwd=settings.BASE_DIR, env=env, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(url, lambda: started.poll() is None)
        yield url
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def environment() -> dict[str, str]:
    """What a process needs to use the database of this test run."""
    url = os.environ["DATABASE_URL"]
    path, _, query = url.partition("?")
    name = connection.settings_dict["NAME"]
    return os.environ | {"DATABASE_URL": f"{path.rsplit('/', 1)[0]}/{name}?{query}"}


@contextmanager
def running_gateway(*before: str, **more: str) -> Iterator[str]:
    """The base URL of one more gateway process; `before` stands before its command."""
    port = str(free_port())
    argv = [*before, sys.executable, *UVICORN, "--port", port]
    base = f"http://127.0.0.1:{port}"
    env = environment() | {"PORT": port, **more}
    with process(argv, env, f"{base}/mcp/health"):
        yield base


# Of the package: they see to tasks in the database that later tests of this process
# have too.
@pytest.fixture(scope="package")
def forks(django_db_setup: None) -> Iterator[Forks]:
    with forking("from tests.e2e.dying import serve as child", environment()) as forks:
        yield forks


@contextmanager
def forked_gateway(forks: Forks, step: str) -> Iterator[Gateway]:
    """One that dies at this step (dying.py)."""
    port = free_port()
    with forks.one(step, port) as forked:
        gateway = Gateway(f"http://127.0.0.1:{port}", forked)
        wait_for(f"{gateway.base}/mcp/health", forked.lives)
        yield gateway
        forked.end(signal.SIGTERM)


class Gateway(NamedTuple):
    base: str
    process: Forked


@pytest.fixture(scope="package")
def gateways(forks: Forks) -> Iterator[tuple[str, str]]:
    """Two processes that share nothing but Valkey and Postgres; the first is started
    as `make run` does."""
    with running_gateway() as first, forked_gateway(forks, "never") as second:
        yield first, second.base


@pytest.fixture(scope="package")
def sandbox(django_db_setup: None, sandbox_url: str) -> str:
    return sandbox_url


@pytest.fixture(scope="package")
def everything(django_db_setup: None) -> Iterator[str]:
    """The reference server of the handshake era, from npm."""
    if not EVERYTHING.exists():
        if os.environ.get("SKIP_NODE") == "1":
            pytest.skip("SKIP_NODE is set")
        pytest.fail("tests/node_modules is missing: run `make test` once")
    port = str(free_port())
    url = f"http://127.0.0.1:{port}/mcp"
    argv = ["node", str(EVERYTHING), "streamableHttp"]
    with process(argv, os.environ | {"PORT": port}, url):
        yield url


class Acme:
    """One organization with one server, changed as its pages would change it."""

    def __init__(
        self, organization: Organization, member: Membership, valkey: redis.Redis
    ) -> None:
        self.organization, self.member, self.valkey = organization, member, valkey
        self.server: Server
        self.policy: Policy
        self.grant: Any
        self.token = ""

    def register(self, url: str) -> None:
        self.server = registering.register(
            self.organization, "server", url, {}, discover(url, {})
        )
        self.policy = publishing.create(self.server, "support", "", None)
        self.publish()
        self.mint("support-bot")

    def publish(self, **document: Any) -> None:
        text = json.dumps({"version": "1", "default": "allow"} | document)
        publishing.publish_text(self.policy, text, None)

    def mint(self, label: str) -> None:
        self.grant, self.token = granting.mint(
            None,
            holder=self.member,
            server=self.server,
            policy=self.policy,
            label=label,
        )

    @asynccontextmanager
    async def client(self, base: str, mode: str, **more: Any) -> AsyncIterator[Client]:
        """The official client; `mode` is "legacy" or a modern revision."""
        headers = {"authorization": f"Bearer {self.token}"}
        url = f"{base}/mcp/{self.server.public_id}"
        async with (
            http(headers=headers, timeout=30) as agent,
            Client(
                streamable_http_client(url, http_client=agent), mode=mode, **more
            ) as client,
        ):
            yield client

    def decisions(self) -> list[tuple[str, str, str | None]]:
        """Method, decision and rule of each call on record."""
        return decided_calls(self._records())

    def outcomes(self) -> list[str]:
        """The status of each outcome on record."""
        kept = [fields[b"r"] for fields in self._records() if b"r" in fields]
        return [entries.decode_outcome(one).status for one in kept]

    def _records(self) -> list[dict[bytes, bytes]]:
        key = f"{{s{self.organization.shard:02d}}}:records"
        return [fields for _, fields in cast(Any, self.valkey.xrange(key))]


@pytest.fixture(scope="session")
def kept(django_db_setup: None) -> Iterator[None]:
    """Connections of `orm` are, to the end of the run."""
    yield
    let_go()


@pytest.fixture
def world(
    kept: None,
    transactional_db: None,
    acme: Organization,
    bob: Membership,
    valkey: redis.Redis,
) -> Acme:
    return Acme(acme, bob, valkey)

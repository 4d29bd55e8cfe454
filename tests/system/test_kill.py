"""`kill -9` of each part in the middle of 2,000 calls: nothing forwarded goes
unrecorded, nothing is sent twice, and no count is lost."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import aiohttp
import pytest

from tests.system.running import CountingUpstream, RunningSystem, running_system, until

CALLS, ALLOWED, AT_ONCE = 2_000, 1_500, 16
KILLS = {
    200: "web",
    450: "recorder",
    600: "worker",
    750: "valkey",
    1000: "postgres",
    1200: "valkey",
    1350: "web",
}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def wanted(port: int) -> dict[str, Any]:
    document = {
        "version": "1",
        "default": "deny",
        "tools": {
            "create_refund": {
                "limits": [{"counter": "calls", "window": "day", "max": ALLOWED}]
            }
        },
    }
    return {
        "organization": {"slug": "acme", "name": "Acme"},
        "members": [{"email": "alice@example.com", "role": "owner"}],
        "servers": [{"name": "counting", "url": f"http://127.0.0.1:{port}/mcp"}],
        "policies": [{"name": "p", "server": "counting", "document": document}],
        "grants": [
            {
                "label": "bot",
                "member": "alice@example.com",
                "server": "counting",
                "policy": "p",
            }
        ],
    }


class Caller:
    """Sends each number at most once; a refused connection sent nothing."""

    def __init__(self, system: RunningSystem, grant: dict[str, str]) -> None:
        self.system, self.endpoint = system, grant["endpoint"]
        self.headers = {
            "Authorization": f"Bearer {grant['token']}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/call",
            "Mcp-Name": "create_refund",
        }
        self.numbers = itertools.count(1)
        self.ran: set[int] = set()
        self.limited = 0
        self.killed: list[str] = []

    async def all(self) -> None:
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(30), headers=self.headers
        ) as session:
            await asyncio.gather(*(self.work(session) for _ in range(AT_ONCE)))
            while await self.call(session, next(self.numbers)) != "limited":
                assert len(self.ran) <= ALLOWED

    async def work(self, session: aiohttp.ClientSession) -> None:
        for number in self.numbers:
            if part := KILLS.get(number):
                self.killed.append(part)
                self.system.kill(part)
            await self.call(session, number)
            if number >= CALLS:
                return

    async def call(self, session: aiohttp.ClientSession, number: int) -> str:
        arguments = {"charge": f"n{number}", "amount": 1, "currency": "usd"}
        params = {"name": "create_refund", "arguments": arguments, "_meta": META}
        body = {
            "jsonrpc": "2.0",
            "id": number,
            "method": "tools/call",
            "params": params,
        }
        try:
            answer = await self.post(session, body)
        except (TimeoutError, aiohttp.ClientError):
            return "lost"
        if "error" in answer:
            await asyncio.sleep(0.05)  # refused while a part is down
            return "refused"
        if not answer["result"].get("isError"):
            self.ran.add(number)
            return "ran"
        self.limited += 1
        return "limited"

    async def post(
        self, session: aiohttp.ClientSession, body: dict[str, Any]
    ) -> dict[str, Any]:
        while True:
            try:
                async with session.post(self.endpoint, json=body) as response:
                    answer: dict[str, Any] = json.loads(await response.read())
                    return answer
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.xdist_group("system")
@pytest.mark.django_db
def test_killing_each_part_loses_no_record_and_no_count() -> None:
    with CountingUpstream() as upstream, running_system() as system:
        grant = system.apply(wanted(upstream.port))["grants"][0]
        caller = Caller(system, grant)
        asyncio.run(caller.all())

        assert caller.killed == list(KILLS.values())
        forwarded = upstream.seen
        assert len(forwarded) == len(set(forwarded)), "a call was sent twice"
        assert caller.ran <= set(forwarded)
        assert len(forwarded) <= ALLOWED, "a count was lost"

        records: list[dict[str, Any]] = []

        def all_recorded() -> bool:
            records[:] = system.records()
            return recorded(records) >= set(forwarded)

        until(all_recorded, 60)
        counted = [
            record
            for record in records
            if record["method"] == "tools/call"
            and record["decision"] == "allow"
            and not record["given_back"]
        ]
        assert len(counted) == ALLOWED, "records and counter disagree"


def recorded(records: list[dict[str, Any]]) -> set[int]:
    """The numbers of the calls that the activity log says were let through."""
    return {
        int(record["arguments"]["charge"][1:])
        for record in records
        if record["method"] == "tools/call" and record["decision"] == "allow"
    }

"""A world to govern: Acme, its server (a fake one), a policy, a grant, a gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import pytest
import redis
from django.db import transaction
from django.utils import timezone

from accounts import generation
from accounts.models import Membership, Organization
from approvals import deciding
from approvals.models import Approval, State, Via
from approvals.waiving import Wish
from audit import entries
from gateway import ending, snapshots, state
from gateway.app import App
from policies import granting, limits, publishing
from policies.decision import Decision
from policies.models import Policy
from servers import registering
from servers.definitions import read_tools
from servers.discovery import Discovery
from servers.models import Server, ToolDefinition
from tests.fakes.mcp_server import CAPABILITIES, FakeServer, running
from tests.gateway import threads
from tests.gateway.asgi import Client

T = TypeVar("T")
ALLOW: dict[str, Any] = {"version": "1", "default": "allow"}


ORM = ThreadPoolExecutor(thread_name_prefix="orm")


async def orm(work: Callable[[], T]) -> T:
    """Database work of a test, in a thread that keeps its connection."""
    return await asyncio.get_running_loop().run_in_executor(ORM, threads.kept(work))


@pytest.fixture(scope="session")
def kept(django_db_setup: None) -> Iterator[None]:
    """Connections of threads are, to the end of the run."""
    yield
    threads.let_go()


def discovery(era: str, tools: list[Any]) -> Discovery:
    """What a fake server says of itself, as discovery reads it."""
    revision = "2026-07-28" if era == "modern" else "2025-11-25"
    read, _ = read_tools(tools)
    return Discovery(era, revision, {}, dict(CAPABILITIES), "", tuple(read))


class World:
    """What a test changes goes through the same functions as the pages."""

    def __init__(
        self, organization: Organization, member: Membership, valkey: redis.Redis
    ) -> None:
        self.organization, self.member, self.valkey = organization, member, valkey
        self.approver: Membership
        self.app = App()
        self.apps = [self.app]
        self.server: Server
        self.policy: Policy
        self.grant: Any
        self.token = ""

    async def register(self, fake: FakeServer, headers: dict[str, str]) -> None:
        found = discovery(fake.era, fake.tools)
        self.server = await orm(
            lambda: registering.register(
                self.organization, "payments", fake.url, headers, found
            )
        )
        self.policy = await orm(
            lambda: publishing.create(self.server, "support", "", None)
        )

    async def rediscover(self, tools: list[Any]) -> None:
        """What the worker stores after it has asked the server again."""
        found = discovery(self.server.era, tools)
        await orm(lambda: registering.store(self.server, found))

    async def publish(self, **document: Any) -> None:
        text = json.dumps(ALLOW | document)
        await orm(lambda: publishing.publish_text(self.policy, text, None))

    async def mint(self, **more: Any) -> str:
        given: dict[str, Any] = {"label": "bot", "policy": self.policy} | more
        minted = await orm(
            lambda: granting.mint(None, holder=self.member, server=self.server, **given)
        )
        self.grant, self.token = minted.grant, minted.token
        return minted.token

    async def revoke(self) -> None:
        await orm(lambda: granting.revoke(None, self.grant))

    async def hold(self, name: str) -> None:
        def held() -> None:
            with transaction.atomic():
                ToolDefinition.objects.for_organization(self.organization).filter(
                    name=name
                ).update(held_at=timezone.now())
                generation.changed(self.organization)

        await orm(held)

    async def change(self, row: Any, **fields: Any) -> None:
        """As a page does: the fields, and the generation."""

        def changed() -> None:
            with transaction.atomic():
                for name, value in fields.items():
                    setattr(row, name, value)
                row.save(update_fields=list(fields))
                generation.changed(self.organization)

        await orm(changed)

    async def approvals(self) -> list[Approval]:
        rows = Approval.objects.for_organization(self.organization)
        return await orm(lambda: list(rows.order_by("created_at")))

    async def decide(
        self, approves: bool = True, reason: str = "", waiver: Wish | None = None
    ) -> Approval:
        """By the approver, on the one approval that waits."""
        rows = Approval.objects.for_organization(self.organization)

        def decided() -> Approval:
            return deciding.vote(
                rows.get(state=State.PENDING).pk,
                self.approver,
                approves=approves,
                reason=reason,
                via=Via.PAGE,
                fresh=True,
                waiver=waiver,
            )

        return await orm(decided)

    def client(self, era: str = "modern", **more: Any) -> Client:
        given: dict[str, Any] = {
            "app": self.app,
            "path": f"/mcp/{self.server.public_id}",
            "token": self.token,
            "era": era,
        } | more
        return Client(**given)

    async def connected(self, era: str = "modern", **more: Any) -> Client:
        client = self.client(era, **more)
        if era == "legacy":
            answer = await client.initialize()
            assert answer.status == 200, answer.body
        return client

    def another_process(self) -> App:
        """A gateway that shares nothing with the first but Valkey and Postgres."""
        app = App()
        self.apps.append(app)
        return app

    def stream(self) -> list[dict[bytes, bytes]]:
        key = f"{{s{self.organization.shard:02d}}}:records"
        return [fields for _, fields in cast(Any, self.valkey.xrange(key))]

    def records(self) -> list[entries.CallEntry]:
        return [
            entries.decode_call(fields[b"c"]).entry
            for fields in self.stream()
            if b"c" in fields
        ]

    def decisions(self) -> list[tuple[str, str | None]]:
        """Decision and rule of each call on record."""
        return [found[1:] for found in decided_calls(self.stream())]

    async def outcomes(self, count: int = 1) -> list[entries.OutcomeEntry]:
        """Waits until there are that many."""
        for _ in range(200):
            found = [
                entries.decode_outcome(fields[b"r"])
                for fields in self.stream()
                if b"r" in fields
            ]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"{len(found)} outcomes, not {count}")


def decided_calls(
    stream: list[dict[bytes, bytes]],
) -> list[tuple[str, str, str | None]]:
    """Method, decision and rule of each call in a record stream."""
    found: list[tuple[str, str, str | None]] = []
    for fields in stream:
        if b"c" in fields:
            entry = entries.decode_call(fields[b"c"]).entry
            decided = _decided(entry, fields[b"v"])
            found.append((entry.method, decided.decision, decided.rule))
    return found


def _decided(entry: entries.CallEntry, verdict: bytes) -> Decision:
    if entry.judgement is None:
        return Decision(entry.decision, entry.rule, None)  # type: ignore[arg-type]
    reply = limits.read_verdict(verdict, entry.judgement)
    return limits.decide(entry.judgement, reply)


@pytest.fixture
async def fake(request: pytest.FixtureRequest) -> AsyncIterator[FakeServer]:
    """Modern, or of the era that a test asks for with indirect parameters."""
    async with running(FakeServer(getattr(request, "param", "modern"))) as server:
        yield server


@pytest.fixture
async def world(
    kept: None,
    transactional_db: None,
    acme: Organization,
    alice: Membership,
    bob: Membership,
    valkey: redis.Redis,
    fake: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[World]:
    """Allows everything on a modern server; tests take it from there. Bob's agent
    calls, alice decides."""
    for module in (snapshots, state):
        monkeypatch.setattr(module, "Threads", threads.KeptThreads)
    world = World(acme, bob, valkey)
    world.approver = alice
    await world.register(fake, {"X-Api-Key": "upstream-secret"})
    await world.publish()
    await world.mint(label="support-bot", tags=["prod"])
    yield world
    for app in world.apps:
        await app.close()


@pytest.fixture
def swept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open calls are looked at ten times as often. How often they are otherwise, and
    that it is soon enough, tests/e2e sees."""
    monkeypatch.setattr(ending, "EVERY", ending.EVERY / 10)

"""A package: installed and started in a cell of its own, asked, and gone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from django.utils import timezone

from catalog.scanning.answers import Answer, said
from catalog.scanning.cell import Cell, cell
from catalog.scanning.failures import ScanFailed
from catalog.scanning.installing import Installed, install
from catalog.scanning.kept import Limits, running
from catalog.scanning.listing import Listed, everything
from catalog.scanning.remote import scan_url
from catalog.scanning.sources import Source
from catalog.scanning.stdio import StdioClient
from servers.mcp_client import Hello, RpcError


@dataclass(frozen=True, slots=True)
class Seconds:
    """For installing, for the first answer, for each later one, and for all of it."""

    install: float = 600
    start: float = 120
    answer: float = 60
    whole: float = 900


async def scan(source: Source, seconds: Seconds) -> Answer:
    """Raises ScanFailed."""
    if source.kind == "url":
        return await scan_url(source, seconds.answer)
    moment = timezone.now()
    try:
        async with asyncio.timeout(seconds.whole):
            with cell() as made:
                installed = await install(made, source, seconds.install)
                odd, hello, listed = await ask(made, source, installed, seconds)
                words = made.words
    except TimeoutError:
        why = f"It was not done in {seconds.whole:g} s."
        raise ScanFailed("answer", why) from None
    answered = said(hello, listed)
    if odd:
        answered["problems"] += (f"{odd} lines of its output are no JSON-RPC.",)
    return Answer(
        kind=source.kind,
        source=source.name,
        version=installed.version,
        transport="stdio",
        scanned_at=moment,
        environment=f"over stdio, {words}",
        registry_name=source.registry_name,
        **answered,
    )


async def ask(
    made: Cell, source: Source, installed: Installed, seconds: Seconds
) -> tuple[int, Hello, Listed]:
    """With the number of odd lines. Raises ScanFailed."""
    for name, text in source.files.items():
        made.write(name, text)
    arguments = [each.replace("{home}", str(made.home)) for each in source.arguments]
    env = made.environment() | dict(source.environment)
    argv = [*installed.command, *arguments]
    limits = Limits(seconds.whole)
    async with running(argv, env, made.place, made.who(), limits) as program:
        client = StdioClient(program, seconds.start, seconds.answer)
        try:
            hello = await client.hello()
            listed = await everything(client, hello.capabilities)
            return client.odd, hello, listed
        except RpcError as error:
            text = f"It answers with an error: {error}"
            raise ScanFailed("answer", text, program.last_words) from None

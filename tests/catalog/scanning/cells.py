"""A fake server, run in a cell as a package would be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from catalog.scanning.cell import Cell, cell
from catalog.scanning.failures import ScanFailed
from catalog.scanning.installing import Installed, usable_python
from catalog.scanning.kept import Limits, running
from catalog.scanning.listing import Listed, everything
from catalog.scanning.packages import Seconds, ask
from catalog.scanning.sources import Source
from catalog.scanning.stdio import StdioClient
from servers.mcp_client import Hello

NAME, VERSION = "acme-fake-mcp", "1.4.2"
FAKE = Path(__file__).with_name("fake_server.py")
QUICK = Seconds(start=20, answer=20, whole=30)


@dataclass
class Told:
    """What a server answered, and what it noted of us."""

    hello: Hello
    listed: Listed
    odd: int
    cell: Cell
    asked: list[str]
    answered: list[str]

    @property
    def tools(self) -> list[str]:
        return [each["name"] for each in self.listed.items["tools"]]

    def told(self, key: str) -> list[str]:
        """Values of tools named `key=value`."""
        begin = f"{key}="
        return [n.removeprefix(begin) for n in self.tools if n.startswith(begin)]


@contextmanager
def placed() -> Iterator[tuple[Cell, list[str]]]:
    """A cell with the fake server in it, and the command that starts it."""
    with cell() as made:
        yield made, place(made)


def place(made: Cell) -> list[str]:
    script = made.folder / "fake_server.py"
    script.write_bytes(FAKE.read_bytes())
    made.hand_over(script)
    return [usable_python(made.uid), "-I", str(script)]


async def install(made: Cell, source: Source, seconds: float) -> Installed:
    """In the place of `installing.install`, for tests of all the rest: each start of
    pip takes half a second of CPU."""
    if source.name != NAME:
        raise ScanFailed("install", f"There is no {source.name}.")
    return Installed(place(made), VERSION)


def asked(
    kind: str, *arguments: str, seconds: Seconds = QUICK, **source: object
) -> Told:
    """Raises ScanFailed."""
    with placed() as (made, command):
        wanted = Source("pypi", "fake", arguments=(kind, *arguments), **source)  # type: ignore[arg-type]
        odd, hello, listed = asyncio.run(
            ask(made, wanted, Installed(command, "1"), seconds)
        )
        return Told(hello, listed, odd, made, *(_noted(made, n) for n in NOTES))


def asked_within(limits: Limits, kind: str, *arguments: str) -> Listed:
    """With limits of its own. Raises ScanFailed."""

    async def conversation(made: Cell, argv: list[str]) -> Listed:
        env = made.environment()
        async with running(argv, env, made.place, made.who(), limits) as program:
            client = StdioClient(program, 20, 20)
            hello = await client.hello()
            return await everything(client, hello.capabilities)

    with placed() as (made, command):
        return asyncio.run(conversation(made, [*command, kind, *arguments]))


NOTES = ("asked", "answered")


def _noted(made: Cell, name: str) -> list[str]:
    path = made.home / name
    return path.read_text().splitlines() if path.exists() else []


def sleeping(seconds: str) -> list[int]:
    """Process ids of `sleep SECONDS`, wherever they run."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if process.info["cmdline"] == ["sleep", seconds]:
            found.append(process.pid)
    return found

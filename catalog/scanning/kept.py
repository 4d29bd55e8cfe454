"""Programs run through the keeper (`keeper.py`), which bounds and ends them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

KEEPER = Path(__file__).with_name("keeper.py")
MIB = 1024 * 1024
MAX_LINE = 8 * MIB
LAST_WORDS = 8 * 1024
STATUS = 4096
END_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a program with all it starts, in seconds and bytes; `file` is one file's."""

    seconds: float
    memory: int = 2048 * MIB
    processes: int = 64
    threads: int = 1024
    file: int = 512 * MIB
    disk: int = 3072 * MIB


@dataclass(frozen=True, slots=True)
class Who:
    """The user id, or None for the caller's, and whether to run without network."""

    uid: int | None = None
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where it starts, and the folder whose size is bounded."""

    cwd: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class Ending:
    """`why` is a word of keeper.py; `code` the exit status where it ended itself."""

    why: str
    code: int | None = None
    memory: int = 0
    left: int = 0

    @property
    def words(self) -> str:
        if self.why == "ended":
            return f"It ended with status {self.code}."
        if self.why == "asked":
            return "It was ended."
        if self.why == "lost":
            return "Its keeper was killed."
        return f"It passed its limit of {self.why} and was ended."


class Lines:
    """The two pipes between a keeper and us."""

    def __init__(self) -> None:
        self._status, self._told = os.pipe()
        self._control, self._hold = os.pipe()
        self.given = (self._told, self._control)

    def hand_over(self) -> None:
        for descriptor in self.given:
            os.close(descriptor)

    def let_go(self) -> None:
        """The keeper ends the program as soon as this end is closed."""
        if self._hold >= 0:
            os.close(self._hold)
            self._hold = -1

    def ending(self) -> Ending:
        """Once the keeper is gone."""
        self.let_go()
        with os.fdopen(self._status, "rb") as status:
            said = status.read(STATUS)
        return Ending(**json.loads(said)) if said else Ending("lost")


def kept_code(argv: list[str], who: Who, limits: Limits) -> int | None:
    """Runs it to its end, silently; its exit status, None where it was ended."""
    lines = Lines()
    with tempfile.TemporaryDirectory() as empty:
        place = Place(Path("/"), Path(empty))
        process = subprocess.Popen(
            _spec(argv, {}, place, who, limits, lines),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            pass_fds=lines.given,
            start_new_session=True,
        )
        lines.hand_over()
        process.wait()
    return lines.ending().code


class Program:
    """A running one. Its errors are read and all but the last of them forgotten."""

    def __init__(self, process: asyncio.subprocess.Process, lines: Lines) -> None:
        self._process, self._lines = process, lines
        self._last = bytearray()
        self._ending: Ending | None = None
        self._reading = asyncio.ensure_future(self._read_errors())

    @property
    def input(self) -> asyncio.StreamWriter:
        assert self._process.stdin
        return self._process.stdin

    @property
    def output(self) -> asyncio.StreamReader:
        assert self._process.stdout
        return self._process.stdout

    @property
    def last_words(self) -> str:
        return self._last.decode("utf-8", "replace")

    async def _read_errors(self) -> None:
        assert self._process.stderr
        while piece := await self._process.stderr.read(65536):
            self._last += piece
            del self._last[:-LAST_WORDS]

    async def wait(self) -> Ending:
        """Until it has ended by itself or was ended."""
        if self._ending is None:
            await self._process.wait()
            self._ending = self._lines.ending()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._reading, 1)
        return self._ending

    async def end(self) -> Ending:
        """Ends it with everything that it started."""
        self._lines.let_go()
        try:
            return await asyncio.wait_for(asyncio.shield(self.wait()), END_SECONDS)
        except TimeoutError:
            self._process.kill()
            return await self.wait()


@asynccontextmanager
async def running(
    argv: list[str], env: Mapping[str, str], place: Place, who: Who, limits: Limits
) -> AsyncIterator[Program]:
    """Gone with everything that it started when the block is left."""
    lines = Lines()
    process = await asyncio.create_subprocess_exec(
        *_spec(argv, env, place, who, limits, lines),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=lines.given,
        env={},  # ours is readable where it runs as the same user
        start_new_session=True,  # Ctrl-C is for us; the keeper sees us go
        limit=MAX_LINE,
    )
    lines.hand_over()
    program = Program(process, lines)
    try:
        yield program
    finally:
        await program.end()


def _spec(
    argv: list[str],
    env: Mapping[str, str],
    place: Place,
    who: Who,
    limits: Limits,
    lines: Lines,
) -> list[str]:
    spec: dict[str, Any] = {"argv": argv, "env": dict(env), "private": lines.given}
    spec |= {"cwd": str(place.cwd), "folder": str(place.folder)}
    spec |= asdict(who) | asdict(limits)
    return [sys.executable, "-I", "-S", str(KEEPER), json.dumps(spec)]

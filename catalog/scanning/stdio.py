"""One conversation with a server over its standard input and output.

`initialize` is asked first, as servers of the handshake era may hang at anything else;
one that refuses it is asked `server/discover`. What the server asks of us is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from catalog.scanning.failures import ScanFailed
from catalog.scanning.kept import MAX_LINE, MIB, Program
from servers.definitions import BadJson, decode
from servers.mcp_client import CLIENT, HANDSHAKES, META, MODERN, Hello, RpcError

REVISIONS = (*HANDSHAKES, "2024-11-05")
MAX_OUTPUT = 64 * MIB
MAX_ODD_LINES = 10_000
MAX_ASKED_OF_US = 1000
METHOD_NOT_FOUND = -32601


class StdioClient:
    """Raises ScanFailed, or RpcError where the server answers with an error."""

    def __init__(self, program: Program, start: float, answer: float) -> None:
        """`start` and `answer` are seconds: for the first answer and each later one."""
        self._program = program
        self._seconds, self._later = start, answer
        self._last_id = 0
        self._read = self._odd = self._asked = 0
        self._meta: dict[str, Any] = {}

    @property
    def odd(self) -> int:
        """Lines that were no JSON-RPC."""
        return self._odd

    async def hello(self) -> Hello:
        try:
            return await self._initialize()
        except RpcError as refused:
            try:
                return await self._discover()
            except RpcError:
                raise refused from None

    async def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method}
        await self._send(message | {"params": {**params, **self._meta}})
        try:
            async with asyncio.timeout(self._seconds):
                result = await self._answer()
        except TimeoutError:
            said = f" It wrote {self._odd} lines that are no JSON." if self._odd else ""
            raise self._failed(
                f"No answer to {method} in {self._seconds:g} s.{said}"
            ) from None
        self._seconds = self._later
        return result

    async def _initialize(self) -> Hello:
        asked = {"protocolVersion": HANDSHAKES[0], "capabilities": {}}
        result = await self.ask("initialize", asked | {"clientInfo": CLIENT})
        revision = result.get("protocolVersion")
        if revision not in REVISIONS:
            raise self._failed(f"It speaks the unknown revision {str(revision)[:40]}.")
        await self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return Hello(
            modern=False,
            revision=revision,
            identity=_object(result, "serverInfo"),
            capabilities=_object(result, "capabilities"),
        )

    async def _discover(self) -> Hello:
        self._meta = {"_meta": META}
        result = await self.ask("server/discover", {})
        versions = result.get("supportedVersions")
        if not isinstance(versions, list) or MODERN not in versions:
            raise self._failed("It speaks no revision that we know.")
        meta = _object(result, "_meta")
        return Hello(
            modern=True,
            revision=MODERN,
            identity=_object(meta, "io.modelcontextprotocol/serverInfo"),
            capabilities=_object(result, "capabilities"),
        )

    async def _send(self, message: Mapping[str, Any]) -> None:
        try:
            self._program.input.write(orjson.dumps(message) + b"\n")
            async with asyncio.timeout(self._seconds):
                await self._program.input.drain()
        except (ConnectionError, TimeoutError):
            # It reads no more; what it has written is still there to be read.
            return

    async def _answer(self) -> dict[str, Any]:
        """Passes over notifications and odd lines until the answer comes."""
        while True:
            message = await self._message()
            if "method" in message:
                await self._refuse(message)
            elif message.get("id") == self._last_id:
                return _result(message)

    async def _message(self) -> dict[str, Any]:
        while True:
            line = await self._line()
            try:
                message = decode(line)
            except BadJson:
                message = None
            if isinstance(message, dict) and message.get("jsonrpc") == "2.0":
                return message
            self._odd += bool(line.strip())
            if self._odd > MAX_ODD_LINES:
                raise self._failed("It writes lines and lines that are no JSON-RPC.")

    async def _line(self) -> bytes:
        try:
            line = await self._program.output.readline()
        except ValueError:
            most = MAX_LINE // MIB
            raise self._failed(f"It wrote a line of more than {most} MiB.") from None
        if not line:
            raise self._failed((await self._program.wait()).words)
        self._read += len(line)
        if self._read > MAX_OUTPUT:
            raise self._failed(f"It wrote more than {MAX_OUTPUT // MIB} MiB.")
        return line

    async def _refuse(self, message: Mapping[str, Any]) -> None:
        """Whatever it asks of us, but whether we are there."""
        if "id" not in message:
            return
        self._asked += 1
        if self._asked > MAX_ASKED_OF_US:
            raise self._failed("It asks and asks instead of answering.")
        answer: dict[str, Any] = {"result": {}}
        if message["method"] != "ping":
            refusal = {"code": METHOD_NOT_FOUND, "message": "A scan does nothing."}
            answer = {"error": refusal}
        await self._send({"jsonrpc": "2.0", "id": message["id"]} | answer)

    def _failed(self, why: str) -> ScanFailed:
        stage = "start" if self._last_id <= 1 else "answer"
        return ScanFailed(stage, why, self._program.last_words)


def _result(message: Mapping[str, Any]) -> dict[str, Any]:
    error = message.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        code = code if isinstance(code, int) else 0
        raise RpcError(200, code, str(error.get("message"))[:500], error.get("data"))
    result = message.get("result")
    return result if isinstance(result, dict) else {}


def _object(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}

"""One registry's answers: through the outbound door, bounded, asked again if need be.

Without cookies or credentials. Synchronous, as its callers keep what they read in the
database; the connection lives in an event loop of this object's own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, urlencode

from catalog.registry.entries import Page, read_page
from catalog.registry.failures import Again, Bulky, Garbled, RegistryError, Unknown
from servers.addresses import Target
from servers.definitions import BadJson
from servers.failures import Redirected, Refused, TooLarge, Untrusted, WireError
from servers.http1 import Deadlines, Pool, Response
from servers.outbound import Door

LIMIT = 100
MAX_BODY = 8 * 1024 * 1024
MAX_BASE = 300
ATTEMPTS = 6
# Seconds. Who asks for a longer wait is asked again by the next run.
LONGEST_WAIT = 120.0
DEADLINES = Deadlines(connect=10, first_byte=30, idle=15, total=90)
HEADERS = [(b"accept", b"application/json"), (b"user-agent", b"PolicyLayer")]
UNKNOWN = frozenset({400, 404, 410, 422})
BUSY = frozenset({408, 425, 429})
# What asking again does not mend.
FINAL = (Refused, Untrusted, Redirected)
T = TypeVar("T")


def base_of(url: str, door: Door) -> str:
    """The one spelling of a registry's base URL. Raises `RegistryError`."""
    base = url.strip().rstrip("/")
    base = base.removesuffix("/servers") if base.endswith("/v0.1/servers") else base
    base = base.removesuffix("/v0.1")
    if "?" in base:
        raise RegistryError("The URL of a registry has no query.")
    target = _checked(door, base)
    scheme = "https" if target.tls else "http"
    path = target.path.decode().rstrip("/")
    spelled = f"{scheme}://{target.authority.decode()}{path}"
    if len(spelled) > MAX_BASE:
        raise RegistryError(f"The URL is longer than {MAX_BASE} characters.")
    return spelled


class Registry:
    """`base` as `base_of` spells it. A context manager; `sleep` gets seconds."""

    def __init__(
        self,
        base: str,
        door: Door,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._target = _checked(door, f"{base}/v0.1/servers")
        self._pool = Pool(door)
        self._now, self._sleep = now, sleep
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._close())
        self._runner.close()

    def page(self, cursor: str, since: datetime | None) -> Page:
        """Asks for fewer entries where a page of all would be too large."""
        limit = LIMIT
        while True:
            try:
                return self._ask(_path(self._target, limit, cursor, since))
            except Bulky:
                if limit == 1:
                    raise
                limit //= 10

    def versions(self, name: str) -> Page:
        """All versions of one server that are not deleted.

        What one publisher has in it can make it unreadable: that stops nobody else.
        """
        path = self._target.path + f"/{quote(name, safe='')}/versions".encode()
        try:
            return self._ask(path)
        except Unknown:
            return Page()
        except (Bulky, Garbled):
            return Page(refused=[(name, "its other versions cannot be read")])

    def _ask(self, path: bytes) -> Page:
        for attempt in range(ATTEMPTS):
            try:
                return self._read(self._runner.run(self._body(path)))
            except Again as problem:
                if attempt + 1 == ATTEMPTS:
                    raise
                self._sleep(_wait(problem, attempt))
        raise AssertionError("the last attempt returns or raises")

    def _read(self, body: bytes) -> Page:
        try:
            return read_page(body, self._now())
        except BadJson as error:
            raise Garbled(f"The registry's answer is no page: {error}") from None

    async def _body(self, path: bytes) -> bytes:
        try:
            async with asyncio.timeout(DEADLINES.total + DEADLINES.connect):
                response = await self._pool.request(
                    self._target, "GET", path, HEADERS, b"", DEADLINES
                )
                if response.status != 200:
                    response.close()
                    raise _refusal(response, self._now())
                return await response.read(MAX_BODY)
        except TooLarge as error:
            raise Bulky(error.reason) from None
        except FINAL as error:
            raise RegistryError(error.reason) from None
        except (WireError, TimeoutError) as error:
            raise Again(str(error) or "The registry took too long.") from None

    async def _close(self) -> None:
        self._pool.close()


def _checked(door: Door, url: str) -> Target:
    try:
        return door.check_url(url)
    except Refused as error:
        raise RegistryError(error.reason) from None


def _path(target: Target, limit: int, cursor: str, since: datetime | None) -> bytes:
    """With `updated_since` a registry lists what was deleted without being asked."""
    query = {"limit": str(limit)}
    if cursor:
        query["cursor"] = cursor
    if since is None:
        query["include_deleted"] = "true"
    else:
        query["updated_since"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return target.path + b"?" + urlencode(query, quote_via=quote, safe="").encode()


def _refusal(response: Response, now: datetime) -> RegistryError:
    said = f"The registry answers with status {response.status}."
    if response.status in BUSY or response.status >= 500:
        return Again(said, _after(response.header(b"retry-after"), now))
    return (Unknown if response.status in UNKNOWN else RegistryError)(said)


def _after(header: bytes | None, now: datetime) -> float | None:
    """Retry-After: seconds, or a date."""
    text = (header or b"").decode("latin-1").strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=UTC) - now).total_seconds())


def _wait(problem: Again, attempt: int) -> float:
    """Seconds until the next attempt. Raises `RegistryError` for too many."""
    if problem.after is None:
        return float(2**attempt)
    if problem.after > LONGEST_WAIT:
        raise RegistryError(
            f"{problem.reason} It asks us to come back in {problem.after:.0f} seconds."
        )
    return max(problem.after, 1.0)

"""Asking the workers to read a server's lists again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import UUID

from celery import current_app
from kombu.exceptions import OperationalError

if TYPE_CHECKING:
    from gateway.state import Gateway

TASK = "servers.refresh"
# Seconds; the task itself holds all processes together to the same pace.
EVERY = 10.0
MAX_KNOWN = 10_000

log = logging.getLogger(__name__)


class Refresher:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._asked: dict[UUID, float] = {}

    def ask(self, server: UUID) -> None:
        """Returns at once; no call waits for it."""
        now = self._gateway.time()
        if now - self._asked.get(server, -EVERY) < EVERY:
            return
        if len(self._asked) > MAX_KNOWN:
            self._asked.clear()
        self._asked[server] = now
        self._gateway.background(self._send(server))

    async def _send(self, server: UUID) -> None:
        try:
            await self._gateway.snapshots.in_thread(lambda: send(server))
        except OperationalError as error:
            log.warning("refresh of server %s not asked for: %s", server, error)


def send(server: UUID) -> None:
    current_app.send_task(TASK, args=[str(server)], retry=False)

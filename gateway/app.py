"""The gateway's ASGI callable."""

from typing import Any


async def gateway(scope: Any, receive: Any, send: Any) -> None:
    raise NotImplementedError

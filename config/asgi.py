"""The ASGI entry: `/mcp/` goes to the gateway, the rest to Django.

The gateway is a plain ASGI callable outside Django's handler and middleware.
"""

from __future__ import annotations

import gc
import os
from typing import Any

# What is imported stays; the gateway sets the collector up once all is loaded.
gc.disable()

from django.core.asgi import get_asgi_application  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_asgi_application()

from django.core.signals import request_finished  # noqa: E402
from django.db import connections  # noqa: E402

from gateway.app import gateway  # noqa: E402  (Django's apps must be ready first)


def _close(**_: Any) -> None:
    """Each request has a thread of its own: nobody would use its connection again, and
    only the collector, which runs rarely here, would end it."""
    connections.close_all()


request_finished.connect(_close)


class Application:
    """`begin` and `heads` are the gateway's, for a server that hands it calls beside
    ASGI."""

    begin, heads = gateway.begin, gateway.heads

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or scope["path"].startswith("/mcp/"):
            await gateway(scope, receive, send)
        else:
            await django(scope, receive, send)


application = Application()
gc.enable()

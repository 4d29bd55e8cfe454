"""The ASGI entry: `/mcp/` goes to the gateway, the rest to Django.

The gateway is a plain ASGI callable outside Django's handler and middleware.
"""

from __future__ import annotations

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_asgi_application()

from gateway.app import gateway  # noqa: E402  (Django's apps must be ready first)


class Application:
    """`begin` is the gateway's, for a server that hands it calls beside ASGI."""

    begin = gateway.begin

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or scope["path"].startswith("/mcp/"):
            await gateway(scope, receive, send)
        else:
            await django(scope, receive, send)


application = Application()

"""`python -m servers.sandbox`: listens on 127.0.0.1:$SANDBOX_PORT, MCP at /mcp."""

from __future__ import annotations

import os
import sys

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from servers.sandbox import jobs, payments, reading, tickets
from servers.sandbox.app import app

PARTS = (payments, tickets, jobs, reading)


@app.custom_route("/healthz", methods=["GET"])  # type: ignore[untyped-decorator]
async def healthz(request: Request) -> Response:
    return PlainTextResponse("ok")


def main() -> None:
    port = os.environ.get("SANDBOX_PORT", "")
    if not port.isdigit():
        sys.exit("SANDBOX_PORT must be the port to listen on.")
    uvicorn.run(
        app.streamable_http_app(),
        host="127.0.0.1",
        port=int(port),
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()

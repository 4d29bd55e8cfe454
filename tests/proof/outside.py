"""The world outside, as the servers see it: a proxy that refuses, and remembers.

All that the servers are to reach listens on loopback and is excepted from the proxy, so
that whatever asks it wanted to leave this machine.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Outside:
    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []

    def environment(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.port}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        proxies = dict.fromkeys([*names, *map(str.lower, names)], url)
        here = "127.0.0.1,localhost"
        return proxies | {"NO_PROXY": here, "no_proxy": here}


@contextmanager
def refusing() -> Iterator[Outside]:
    asked: list[str] = []

    class Refusing(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            line = self.rfile.readline(65537)
            self.close_connection = True
            if line:
                asked.append(line.decode("latin-1").strip())
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    outside = Outside(server.server_port)
    outside.asked = asked
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield outside
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

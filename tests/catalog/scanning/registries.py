"""A Python and an npm registry on loopback, with one package each: the fake server."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.catalog.scanning.cells import FAKE, NAME, VERSION

WHEEL = f"acme_fake_mcp-{VERSION}-py3-none-any.whl"
NODE_SERVER = """
const {existsSync} = require('fs')
const lines = require('readline').createInterface({input: process.stdin})
const answers = {
  initialize: {protocolVersion: '2025-06-18', capabilities: {tools: {}},
               serverInfo: {name: 'node', version: '3'}},
  'tools/list': {tools: [
    {name: 'node_tool', inputSchema: {type: 'object'}},
    {name: `scripts=${existsSync(__dirname + '/ran')}`, inputSchema: {}}]},
}
lines.on('line', line => {
  const {id, method} = JSON.parse(line)
  if (id) console.log(JSON.stringify({jsonrpc: '2.0', id, result: answers[method]}))
})
"""


def wheel(scripts: str = f"{NAME} = acme_fake:main") -> bytes:
    info = f"acme_fake_mcp-{VERSION}.dist-info"
    version = f"Version: {VERSION}\n"
    files = {
        "acme_fake.py": FAKE.read_text(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\n{version}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{scripts}\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in files)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def tarball() -> bytes:
    about = {
        "name": f"@acme/{NAME}",
        "version": VERSION,
        "bin": {NAME: "server.js"},
        "scripts": {"postinstall": "touch ran", "install": "touch ran"},
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in (
            ("package.json", json.dumps(about)),
            ("server.js", NODE_SERVER),
        ):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def pages(base: str, scripts: str) -> dict[str, bytes]:
    packed = tarball()
    digest = base64.b64encode(hashlib.sha512(packed).digest()).decode()
    dist = {"tarball": f"{base}/{NAME}.tgz", "integrity": f"sha512-{digest}"}
    about = {"name": f"@acme/{NAME}", "version": VERSION, "bin": {NAME: "server.js"}}
    document = {
        "name": f"@acme/{NAME}",
        "dist-tags": {"latest": VERSION},
        "versions": {VERSION: about | {"dist": dist, "hasInstallScript": True}},
    }
    return {
        f"/simple/{NAME}/": f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode(),
        f"/files/{WHEEL}": wheel(scripts),
        f"/@acme%2f{NAME}": json.dumps(document).encode(),
        f"/{NAME}.tgz": packed,
    }


@contextmanager
def registries(scripts: str = f"{NAME} = acme_fake:main") -> Iterator[str]:
    """The base URL: `/simple` for pip, and itself for npm."""
    served: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = served.get(self.path)
            self.send_response(200 if body else 404)
            kind = (
                "text/html" if self.path.startswith("/simple") else "application/json"
            )
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        base = f"http://127.0.0.1:{server.server_port}"
        served |= pages(base, scripts)
        Thread(target=server.serve_forever, daemon=True).start()
        yield base
        server.shutdown()

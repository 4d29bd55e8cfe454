"""What a stripped entry starts or reaches: package, image, URL or program. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from catalog.config_scan.stripping import Stripped, bare_name
from catalog.config_scan.tables import BRIDGES, MASK
from catalog.config_scan.walking import walk
from catalog.naming import server_slug

WORDS = {
    "npm": "npm package",
    "pypi": "Python package",
    "docker": "container image",
    "url": "remote server",
    "program": "program",
}
PACKAGE = re.compile(r"node_modules/((?:@[^/]+/)?[^/]+)")


class Thing(NamedTuple):
    """`name` is empty where nothing was left to know it by."""

    kind: str
    name: str
    version: str = ""

    @property
    def words(self) -> str:
        return WORDS[self.kind]

    @property
    def slugs(self) -> list[tuple[str, str]]:
        """`(kind, slug)` by which the catalogue may know it, the likeliest first."""
        if self.kind in {"npm", "pypi", "url"}:
            return [(self.kind, server_slug(self.kind, self.name))]
        if self.kind == "program":
            return [(kind, server_slug(kind, self.name)) for kind in ("pypi", "npm")]
        return []


def thing_of(server: Stripped) -> Thing:
    if server.url:
        return Thing("url", _known(server.url))
    line = walk(server.command, server.args)
    if bare_name(line.target) in BRIDGES or line.command in BRIDGES:
        urls = [arg for arg in server.args if arg.startswith(("http://", "https://"))]
        if urls:
            return Thing("url", _known(urls[0]))
    return _started(line.kind, line.command, line.target)


def _started(kind: str, command: str, target: str) -> Thing:
    if kind == "program":
        return Thing("program", _known(command))
    if kind == "module":
        return Thing("pypi", _known(target.partition(".")[0].replace("_", "-")))
    if kind == "script":
        package = PACKAGE.search(target)
        return Thing("npm", package[1]) if package else Thing("program", _known(target))
    if kind == "docker":
        name, _, tag = target.rpartition(":")
        return Thing("docker", _known(name or tag), tag if name else "")
    name = bare_name(target)
    version = target[len(name) :].rpartition("]")[2].lstrip("@=<>~")
    return Thing(kind, _known(name), version)


def _known(name: str) -> str:
    return "" if MASK in name and "/" not in name else name

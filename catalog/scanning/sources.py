"""What may be scanned, and the words that name it.

pypi:NAME[==VERSION]      a package of the Python registry
npm:NAME[@VERSION]        a package of the npm registry
https://...               a server that speaks streamable HTTP
registry:NAME             a record of the MCP registry that `catalog_sync` fetched
path/to/server.json       such a record in a file
NAME                      a package that the recipes know
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.naming import same_project, server_slug
from catalog.recipes import RECIPES, Recipe
from catalog.scanning.failures import ScanFailed

_PYPI = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}(\[[A-Za-z0-9,._-]+\])?")
_NPM = re.compile(r"(@[a-z0-9~][a-z0-9._~-]*/)?[A-Za-z0-9~][A-Za-z0-9._~-]{0,200}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]{0,100}")


@dataclass(frozen=True, slots=True)
class Source:
    """`kind` is a word of `models.Source`. Without a version the newest is meant.

    `{home}` in an argument is the folder that the package runs in.
    """

    kind: str
    name: str
    version: str = ""
    script: str = ""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    registry_name: str = ""

    @property
    def slug(self) -> str:
        return server_slug(self.kind, self.name)

    def __str__(self) -> str:
        return self.name if self.kind == "url" else f"{self.kind}:{self.name}"


def parse(word: str) -> Source:
    """Raises ScanFailed. `registry:` and files are `records.py`'s."""
    if word.startswith(("https://", "http://")):
        return Source("url", word)
    kind, colon, rest = word.partition(":")
    if colon and kind in ("pypi", "npm"):
        return package(kind, *_split(kind, rest))
    for kind in ("pypi", "npm"):
        name, version = _split(kind, word)
        if recipe := _recipe(kind, name):
            return from_recipe(recipe, version)
    raise ScanFailed("source", "No recipe has this name; say pypi: or npm: before it.")


def package(kind: str, name: str, version: str = "") -> Source:
    """With the recipe's words, where there is one. Raises ScanFailed."""
    if not (_PYPI if kind == "pypi" else _NPM).fullmatch(name):
        raise ScanFailed("source", "This is no name of a package.")
    if version and not _VERSION.fullmatch(version):
        raise ScanFailed("source", "This is no version.")
    if recipe := _recipe(kind, name):
        return from_recipe(recipe, version)
    return Source(kind, name, version)


def from_recipe(recipe: Recipe, version: str = "") -> Source:
    return Source(
        recipe.kind,
        recipe.name,
        version,
        recipe.script,
        recipe.arguments,
        recipe.environment,
        recipe.files,
    )


def _recipe(kind: str, name: str) -> Recipe | None:
    for recipe in RECIPES:
        if recipe.kind == kind == "pypi" and same_project(recipe.name, name):
            return recipe
        if (recipe.kind, recipe.name) == (kind, name):
            return recipe
    return None


def _split(kind: str, word: str) -> tuple[str, str]:
    if kind == "pypi":
        name, _, version = word.partition("==")
        return name.strip(), version.strip()
    at = word.rfind("@")
    return (word[:at], word[at + 1 :]) if at > 0 else (word, "")


__all__ = ["Source", "from_recipe", "package", "parse"]

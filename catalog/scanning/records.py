"""Records of an MCP registry (`server.json` of 2025-12-11) as sources.

The first package that runs over stdio, else the first remote that takes no variables.
What a record wants to be told and nobody told us is made up: `x`, or its own default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.models import RegistryRecord, Status
from catalog.scanning.failures import ScanFailed
from catalog.scanning.sources import Source, package, parse
from servers.definitions import BadJson, decode

MADE_UP = "x"
REGISTRY = "registry:"


def source_of(word: str) -> Source:
    """Any word that the command takes. Raises ScanFailed."""
    if word.startswith(REGISTRY):
        return from_record(_document(word.removeprefix(REGISTRY)))
    if word.endswith(".json"):
        return from_record(_file(Path(word)))
    return parse(word)


def from_record(document: Mapping[str, Any]) -> Source:
    """Raises ScanFailed."""
    name = str(document.get("name") or "")
    for each in _objects(document, "packages"):
        kind, transport = each.get("registryType"), each.get("transport") or {}
        if kind in ("pypi", "npm") and transport.get("type", "stdio") == "stdio":
            return _package(str(kind), each, name)
    for each in _objects(document, "remotes"):
        url = str(each.get("url"))
        if each.get("type") == "streamable-http" and "{" not in url:
            return replace(parse(url), registry_name=name)
    raise ScanFailed(
        "source", "It has no Python or npm package for stdio, and no plain HTTP URL."
    )


def _package(kind: str, given: Mapping[str, Any], name: str) -> Source:
    version = str(given.get("version") or "")
    made = package(kind, str(given.get("identifier")), version)
    if made.environment or made.arguments:
        return replace(made, registry_name=name)  # a recipe knows better
    return replace(
        made,
        arguments=tuple(_arguments(given)),
        environment=dict(_variables(given)),
        registry_name=name,
    )


def _arguments(given: Mapping[str, Any]) -> Iterator[str]:
    for each in _objects(given, "packageArguments"):
        value = each.get("value") or each.get("default")
        if value is None and not each.get("isRequired"):
            continue
        if each.get("type") == "named":
            yield str(each.get("name"))
            if value is None and each.get("format") == "boolean":
                continue
        yield str(value or MADE_UP)


def _variables(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in _objects(given, "environmentVariables"):
        value = each.get("value") or each.get("default")
        if value or each.get("isRequired"):
            yield str(each.get("name")), str(value or MADE_UP)


def _objects(given: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = given.get(key)
    items = found if isinstance(found, list) else []
    return [each for each in items if isinstance(each, dict)]


def _document(name: str) -> Mapping[str, Any]:
    rows = RegistryRecord.objects.filter(name=name).exclude(status=Status.DELETED)
    row = rows.order_by("registry").first()
    if row is None:
        why = "No record has this name; `manage.py catalog_sync` fetches them."
        raise ScanFailed("source", why)
    return _object(row.document)


def _file(path: Path) -> Mapping[str, Any]:
    try:
        return _object(decode(path.read_bytes()))
    except OSError as error:
        raise ScanFailed("source", f"{path}: {error.strerror}") from None
    except BadJson as error:
        raise ScanFailed("source", f"{path}: {error}") from None


def _object(document: Any) -> Mapping[str, Any]:
    """With the record inside, where a registry's answer was saved as it came."""
    if isinstance(document, dict) and isinstance(document.get("server"), dict):
        document = document["server"]
    if not isinstance(document, dict):
        raise ScanFailed("source", "The record is no object.")
    return document

"""The words that name what may be scanned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.models import RegistryRecord
from catalog.scanning.failures import ScanFailed
from catalog.scanning.records import from_record, source_of
from catalog.scanning.sources import Source
from tests.cases import cases


@cases(
    ("word", "kind", "name", "version"),
    [
        ("pypi:some-server", "pypi", "some-server", ""),
        ("pypi:some-server==1.2.3", "pypi", "some-server", "1.2.3"),
        ("pypi:some-server[http]==1", "pypi", "some-server[http]", "1"),
        ("npm:plain", "npm", "plain", ""),
        ("npm:@scope/name", "npm", "@scope/name", ""),
        ("npm:@scope/name@2.0.0-rc.1", "npm", "@scope/name", "2.0.0-rc.1"),
        ("https://mcp.example.com/mcp", "url", "https://mcp.example.com/mcp", ""),
        ("awslabs.eks-mcp-server", "pypi", "awslabs.eks-mcp-server", ""),
        ("awslabs-eks-mcp-server==0.1", "pypi", "awslabs.eks-mcp-server", "0.1"),
        ("@playwright/mcp@0.0.1", "npm", "@playwright/mcp", "0.0.1"),
    ],
)
def test_words(word: str, kind: str, name: str, version: str) -> None:
    found = source_of(word)
    assert (found.kind, found.name, found.version) == (kind, name, version)


@cases(
    "word",
    [
        "nobody-knows-this",
        "pypi:--proxy=http://x",
        "pypi:name @ https://example.com/x.whl",
        "pypi:name==1 --pre",
        "pypi:git+https://example.com/x",
        "npm:file:../x",
        "npm:@scope",
        "npm:--global",
        "npm:name@git+ssh://x",
        "pypi:",
        "ftp://example.com",
    ],
)
def test_words_that_are_refused(word: str) -> None:
    with pytest.raises(ScanFailed) as caught:
        source_of(word)
    assert caught.value.stage == "source"


def test_a_recipe_goes_with_its_package_however_it_is_named() -> None:
    for word in ("awslabs.ecs-mcp-server", "pypi:awslabs-ecs-mcp-server==0.1.37"):
        found = source_of(word)
        assert found.script == "ecs-mcp-server"
        assert found.environment["AWS_REGION"] == "us-east-1"
        assert ".aws/config" in found.files


def test_slugs() -> None:
    sources = {
        "awslabs-eks-mcp-server": Source("pypi", "awslabs.eks-mcp-server"),
        "playwright-mcp": Source("npm", "@playwright/mcp"),
        "mcp-example-com-x": Source("url", "https://MCP.example.com/x"),
    }
    assert {slug: source.slug for slug, source in sources.items()} == {
        slug: slug for slug in sources
    }


PACKAGE = {
    "registryType": "npm",
    "identifier": "@acme/mcp",
    "version": "1.2.3",
    "transport": {"type": "stdio"},
    "packageArguments": [
        {"type": "positional", "value": "serve"},
        {"type": "named", "name": "--mode", "default": "read"},
        {"type": "named", "name": "--token", "isRequired": True, "isSecret": True},
        {"type": "named", "name": "--verbose"},
    ],
    "environmentVariables": [
        {"name": "API_KEY", "isRequired": True, "isSecret": True},
        {"name": "REGION", "default": "eu"},
        {"name": "OPTIONAL"},
    ],
}
IMAGE = {"registryType": "oci", "identifier": "docker.io/acme/mcp:1"}
REMOTE = {"type": "streamable-http", "url": "https://mcp.acme.example/mcp"}


def record(**more: Any) -> dict[str, Any]:
    return {"name": "example.acme/mcp", "version": "1.2.3"} | more


def test_a_record_with_a_package() -> None:
    found = from_record(record(packages=[IMAGE, PACKAGE], remotes=[REMOTE]))
    assert (found.kind, found.name, found.version) == ("npm", "@acme/mcp", "1.2.3")
    assert found.arguments == ("serve", "--mode", "read", "--token", "x")
    assert found.environment == {"API_KEY": "x", "REGION": "eu"}
    assert found.registry_name == "example.acme/mcp"


def test_a_record_with_a_remote() -> None:
    sse = {"type": "sse", "url": "https://mcp.acme.example/sse"}
    templated = {"type": "streamable-http", "url": "https://{tenant}.acme.example/"}
    found = from_record(record(packages=[IMAGE], remotes=[sse, templated, REMOTE]))
    assert (found.kind, found.name) == ("url", REMOTE["url"])


@cases(
    "document",
    [
        record(),
        record(packages=[IMAGE], remotes="none"),
        record(packages=[PACKAGE | {"identifier": "--global"}]),
        record(packages=[PACKAGE | {"transport": {"type": "streamable-http"}}]),
    ],
)
def test_records_without_anything_to_scan(document: dict[str, Any]) -> None:
    with pytest.raises(ScanFailed):
        from_record(document)


def test_a_file_with_a_record(tmp_path: Path) -> None:
    path = tmp_path / "server.json"
    path.write_text(json.dumps({"server": record(remotes=[REMOTE])}))
    assert source_of(str(path)).kind == "url"
    path.write_text("{")
    for word in (str(path), str(tmp_path / "none.json")):
        with pytest.raises(ScanFailed, match=r"\.json"):
            source_of(word)


@pytest.mark.django_db
def test_a_record_that_was_synced() -> None:
    row = RegistryRecord.objects.create(
        registry="https://registry.example.com",
        name="example.acme/mcp",
        version="1.2.3",
        status="active",
        document=record(packages=[PACKAGE]),
    )
    assert source_of("registry:example.acme/mcp").name == "@acme/mcp"
    row.status = "deleted"
    row.save()
    with pytest.raises(ScanFailed, match="catalog_sync"):
        source_of("registry:example.acme/mcp")

"""Packages from registries: installed, started, asked, gone."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.scanning import installing, packages
from catalog.scanning.answers import Answer
from catalog.scanning.failures import ScanFailed
from catalog.scanning.installing import program_of
from catalog.scanning.packages import Seconds, scan
from catalog.scanning.sources import Source
from tests.catalog.scanning.cells import NAME, VERSION, install
from tests.catalog.scanning.registries import registries

pytestmark = pytest.mark.slow
needs_npm = pytest.mark.skipif(
    bool(os.environ.get("SKIP_NODE")) or not shutil.which("npm"), reason="needs npm"
)
SECONDS = Seconds(install=120, start=30, answer=30, whole=150)


@pytest.fixture(autouse=True)
def without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip is everywhere, and both read the same registry."""
    found = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, **kw: None if name == "uv" else found(name, **kw)
    )


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with registries() as base:
        serve(monkeypatch, base)
        yield


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pip, for what comes after it."""
    monkeypatch.setattr(packages, "install", install)


def serve(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"{base}/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("npm_config_registry", base)
    for name in ("HTTP_PROXY", "http_proxy", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)


def answer(source: Source) -> Answer:
    return asyncio.run(scan(source, SECONDS))


def failure(source: Source) -> ScanFailed:
    with pytest.raises(ScanFailed) as caught:
        answer(source)
    return caught.value


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where cells are made: a folder that another user may pass through."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.mark.parametrize(
    ("pip", "scripts", "script"),
    [
        ("of the interpreter", f"{NAME} = acme_fake:main", ""),
        ("of its own", "one = acme_fake:main\ntwo = acme_fake:main", "two"),
    ],
)
def test_a_python_package(
    monkeypatch: pytest.MonkeyPatch, pip: str, scripts: str, script: str
) -> None:
    if pip == "of its own":
        monkeypatch.setattr(installing, "PIP_NEEDED", "raise SystemExit(1)")
    with registries(scripts) as base:
        serve(monkeypatch, base)
        found = answer(Source("pypi", NAME, script=script, arguments=("plain",)))
    assert (found.source, found.version, found.transport) == (NAME, VERSION, "stdio")
    assert (found.revision, found.count("tools"), found.count("prompts")) == (
        "2025-06-18", 5, 1,
    )  # fmt: skip
    assert found.identity == {"name": "fake", "version": "1.2"}
    assert found.environment.startswith("over stdio, ")
    assert Answer.from_bytes(found.as_bytes()) == found


@pytest.mark.usefixtures("installed")
def test_odd_lines_are_said() -> None:
    found = answer(Source("pypi", NAME, arguments=("garbage",)))
    assert found.count("tools") == 5
    assert found.problems == ("9 lines of its output are no JSON-RPC.",)


@pytest.mark.usefixtures("registry")
def test_a_version_that_does_not_exist(cells: Path) -> None:
    failed = failure(Source("pypi", NAME, "9.9"))
    assert failed.stage == "install"
    assert "No matching distribution" in failed.said
    assert list(cells.iterdir()) == []


@pytest.mark.usefixtures("installed")
def test_a_folder_is_gone_whatever_happens(cells: Path) -> None:
    assert "no account" in failure(Source("pypi", NAME, arguments=("broken",))).said
    assert list(cells.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "script", "started"),
    [
        (["other"], "", "other"),
        (["one", NAME], "", NAME),
        (["one", "two"], "two", "two"),
        (["one", "two"], "", None),
        (["one", "two"], "three", None),
        (["../one", 1, "two"], "", "two"),
        ([], "", None),
        (None, "", None),
    ],
)
def test_which_program_starts_it(names: Any, script: str, started: str | None) -> None:
    source = Source("pypi", NAME, script=script)
    if started is not None:
        assert program_of(source, NAME, names) == started
        return
    with pytest.raises(ScanFailed, match="unclear: (one, two|none)") as caught:
        program_of(source, NAME, names)
    assert caught.value.stage == "install"


@needs_npm
@pytest.mark.usefixtures("registry")
def test_an_npm_package_whose_scripts_do_not_run() -> None:
    found = answer(Source("npm", f"@acme/{NAME}"))
    assert found.version == VERSION
    names = [each["name"] for each in found.items["tools"]]
    assert names == ["node_tool", "scripts=false"]

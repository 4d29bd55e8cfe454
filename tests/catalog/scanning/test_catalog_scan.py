"""The command: progress, what is stored, what failed, going on where it was left."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from catalog.models import CatalogServer, CatalogTool
from tests.servers.upstream import Upstream, error, running_upstream

pytestmark = pytest.mark.django_db


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running_upstream() as server:
        yield server


@pytest.fixture
def broken() -> Iterator[Upstream]:
    with running_upstream() as server:
        refusal = "\u202eno account"
        server.answers["server/discover"] = lambda message: (
            500, "application/json", error(message, -1, refusal),
        )  # fmt: skip
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "answers"


def told(folder: Path, *sources: str, fails: bool = False, **options: object) -> str:
    out = io.StringIO()
    given = {"keep": folder, "stdout": out} | options
    if fails:
        with pytest.raises(SystemExit) as ended:
            call_command("catalog_scan", *sources, **given)
        assert ended.value.code == 1
    else:
        call_command("catalog_scan", *sources, **given)
    return out.getvalue()


def test_one_is_asked_told_stored_and_kept(upstream: Upstream, folder: Path) -> None:
    said = told(folder, upstream.url)
    assert f"[1/1] {upstream.url} 1.2: 2 tools, 0 prompts, 0 resources" in said
    server = CatalogServer.objects.get()
    assert (server.tools_listed, server.shipped) == (2, False)
    [path] = folder.iterdir()
    assert path.stem == server.slug
    assert len(json.loads(path.read_bytes())["items"]["tools"]) == 2
    assert folder.stat().st_mode & 0o077 == 0


def test_one_that_fails_keeps_no_other_from_being_scanned(
    upstream: Upstream, broken: Upstream, folder: Path
) -> None:
    said = told(folder, broken.url, upstream.url, "no-such-recipe", fails=True)
    assert CatalogServer.objects.get().tools_listed == 2
    report = said.partition("Failed: 2")[2]
    assert broken.url in report
    assert "No recipe has this name" in report
    assert upstream.url not in report
    assert "\u202e" not in said


def test_a_failure_is_said_on_the_row(upstream: Upstream, folder: Path) -> None:
    told(folder, upstream.url)
    upstream.answers["tools/list"] = lambda message: (500, "text/plain", b"")
    told(folder, upstream.url, fails=True)
    server = CatalogServer.objects.get()
    assert server.scan_error.startswith("answer: ")
    assert server.tools_listed == 2


def test_what_was_scanned_lately_is_left_out(upstream: Upstream, folder: Path) -> None:
    told(folder, upstream.url)
    before = len(upstream.seen)
    assert "1 were scanned lately" in told(folder, upstream.url, resume=1.0)
    assert len(upstream.seen) == before
    told(folder, upstream.url, resume=0.0)
    assert len(upstream.seen) > before


def test_what_failed_is_tried_again(upstream: Upstream, folder: Path) -> None:
    told(folder, upstream.url)
    CatalogServer.objects.update(scan_error="start: silence")
    before = len(upstream.seen)
    told(folder, upstream.url, resume=1.0)
    assert len(upstream.seen) > before
    assert CatalogServer.objects.get().scan_error == ""


def test_nothing_is_stored_where_asked_so(upstream: Upstream, folder: Path) -> None:
    assert "2 tools" in told(folder, upstream.url, no_store=True)
    assert CatalogTool.objects.count() == 0


def test_several_at_once(folder: Path) -> None:
    with running_upstream() as one, running_upstream() as other:
        said = told(folder, one.url, other.url, one.url, jobs=2)
    assert {"[1/2]", "[2/2]"} == {line.split(" ")[0] for line in said.splitlines()}
    assert CatalogServer.objects.count() == 2


def test_no_source_at_all(folder: Path) -> None:
    with pytest.raises(CommandError, match="--recipes"):
        told(folder)

"""The one command that rebuilds what ships, with a list of recipes of its own."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from catalog import shipping
from catalog.management.commands import catalog_scan
from catalog.recipes import Recipe
from tests.catalog.scanning.registries import NAME, registries

pytestmark = pytest.mark.slow
ONE = Recipe("pypi", NAME, ("plain",))
NONE = Recipe("pypi", "no-such-package")


@pytest.fixture
def folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: object
) -> Iterator[Path]:
    """Where the snapshot is written. Registries and recipes are the tests' own."""
    found = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, **kw: None if name == "uv" else found(name, **kw)
    )
    monkeypatch.setattr(shipping, "FOLDER", tmp_path / "snapshot")
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    for module in (shipping, catalog_scan):
        monkeypatch.setattr(module, "RECIPES", (ONE, NONE))
    with registries() as base:
        monkeypatch.setenv("PIP_INDEX_URL", f"{base}/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
        yield tmp_path / "snapshot"


def test_it_scans_writes_and_tells_what_failed(folder: Path) -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("catalog_snapshot", stdout=out)
    assert "1 servers" in out.getvalue()
    assert "pypi:no-such-package" in out.getvalue().partition("Failed: 1")[2]
    [path] = folder.iterdir()
    made = shipping.from_text(path.read_bytes())
    assert (made.source, len(made.tools), made.shipped) == (NAME, 5, True)

    before = path.read_bytes()
    path.unlink()
    call_command("catalog_snapshot", answers=folder.parent / "catalog", stdout=out)
    assert path.read_bytes() == before

"""The one command that rebuilds what ships, with a list of recipes of its own."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from catalog import shipping
from catalog.management.commands import catalog_scan
from catalog.recipes import Recipe
from catalog.scanning import packages
from tests.catalog.scanning.cells import NAME, install

pytestmark = pytest.mark.slow
ONE = Recipe("pypi", NAME, ("plain",))
NONE = Recipe("pypi", "no-such-package")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: object) -> Path:
    """Where the snapshot is written. The packages and recipes are the tests' own."""
    monkeypatch.setattr(packages, "install", install)
    monkeypatch.setattr(shipping, "FOLDER", tmp_path / "snapshot")
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    for module in (shipping, catalog_scan):
        monkeypatch.setattr(module, "RECIPES", (ONE, NONE))
    return tmp_path / "snapshot"


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

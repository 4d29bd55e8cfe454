"""`manage.py catalog_sync`, and what beat starts."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import RegistryRecord
from catalog.registry import asking
from catalog.registry.tasks import sync_registry
from config.celery import app
from tests.catalog.registry.fake import FakeRegistry, Fault, server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def same_time(registry: FakeRegistry) -> None:
    registry.clock = datetime.now(UTC)


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("catalog_sync", *arguments, stdout=out)
    return out.getvalue()


def test_what_it_did_is_told(registry: FakeRegistry) -> None:
    registry.publish("com.example/a")
    registry.publish("com.example/b")
    registry.set_status("com.example/b", "1.0.0", "deprecated")
    registry.publish("com.example/c")
    registry.set_status("com.example/c", "1.0.0", "deleted")
    registry.put(server("nodots/x"))
    assert said(registry.url).splitlines() == [
        f"{registry.url}: everything; 1 pages, 3 entries",
        "3 new, 0 changed, 1 deprecated, 1 deleted, 1 refused, 0 corrected",
        "Refused:",
        "  1 x the name is no reverse-DNS name such as com.example/server: nodots/x",
    ]
    registry.publish("com.example/a", "1.1.0")
    assert said(registry.url).splitlines()[1].startswith("0 new, 1 changed, 0 dep")


def test_a_run_that_did_not_end_exits_with_1(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ATTEMPTS", 1)
    registry.faults = [Fault(500)]
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("catalog_sync", registry.url, stdout=out)
    assert end.value.code == 1
    assert "Not finished: The registry answers with status 500." in out.getvalue()


def test_a_url_that_is_refused_exits_with_1() -> None:
    with pytest.raises(CommandError, match="begin with"):
        said("ftp://registry.example")


def test_nobody_is_asked_unless_told_to(settings: Any) -> None:
    assert settings.CATALOG_REGISTRY_URL == ""
    with pytest.raises(CommandError, match="CATALOG_REGISTRY_URL"):
        said()
    sync_registry()


def test_the_setting_names_the_registry(registry: FakeRegistry, settings: Any) -> None:
    settings.CATALOG_REGISTRY_URL = registry.url
    registry.publish("com.example/a")
    assert "1 new" in said()
    registry.publish("com.example/b")
    sync_registry()
    assert RegistryRecord.objects.count() == 2


def test_a_task_that_fails_says_so_and_ends(
    registry: FakeRegistry, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CATALOG_REGISTRY_URL = registry.url
    registry.faults = [Fault(403)]
    sync_registry()
    settings.CATALOG_REGISTRY_URL = "ftp://registry.example"
    sync_registry()
    told = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert any("status 403" in line for line in told)
    assert any("registry not read" in line for line in told)


SCHEDULE = """
from config.celery import app
app.loader.import_default_modules()
entry = app.conf.beat_schedule["catalog.sync_registry"]
print(entry["schedule"], entry["task"] in app.tasks)
"""


def test_beat_asks_nobody_unless_told_to() -> None:
    assert "catalog.sync_registry" not in app.conf.beat_schedule


def test_beat_asks_hourly_where_a_registry_is_set() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCHEDULE],
        env=os.environ | {"CATALOG_REGISTRY_URL": "https://registry.example"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "3600.0 True", done.stderr

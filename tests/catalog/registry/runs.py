"""Runs of a test, and what they left behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from catalog.models import RegistryRecord, RegistrySync
from catalog.registry.asking import ATTEMPTS
from catalog.registry.report import Report
from catalog.registry.syncing import sync
from servers.outbound import Door
from tests.catalog.registry.fake import FakeRegistry, Fault

A, B, C = "com.example/a", "com.example/b", "com.example/c"


class Run:
    """Runs with the registry's own clock, and without waiting: `waits` has seconds."""

    def __init__(self, registry: FakeRegistry) -> None:
        self.registry = registry
        self.waits: list[float] = []
        self.ahead = timedelta()
        self.passed = 0.0

    def __call__(self) -> Report:
        return sync(
            self.registry.url,
            door=Door(allow_private=True),
            now=lambda: self.registry.clock + self.ahead,
            clock=lambda: self.passed,
            sleep=self.waits.append,
        )


def kept() -> dict[str, tuple[str, str]]:
    rows = RegistryRecord.objects.values_list("name", "version", "status")
    return {name: (version, status) for name, version, status in rows}


def progress() -> RegistrySync:
    return RegistrySync.objects.get()


def counted(report: Report, **expected: int) -> bool:
    return {k: v for k, v in report.counts().items() if v} == expected


def broken() -> list[Any]:
    return [Fault(500)] * ATTEMPTS


def fill(registry: FakeRegistry) -> None:
    registry.page = 2
    for number in range(6):
        registry.publish(f"com.example/s{number}")

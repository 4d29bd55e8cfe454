from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.catalog.registry.fake import FakeRegistry, running_registry
from tests.catalog.registry.runs import Run


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with running_registry() as running:
        yield running


@pytest.fixture
def run(registry: FakeRegistry) -> Run:
    return Run(registry)

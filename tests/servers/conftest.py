"""Two event loops: the gateway runs on uvloop, tasks and pages on asyncio's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import uvloop

from tests.servers import classifier
from tests.servers.upstream import Upstream, running_upstream


def pytest_asyncio_loop_factories() -> Mapping[
    str, Callable[[], asyncio.AbstractEventLoop]
]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running_upstream() as running:
        yield running


@pytest.fixture
def classified(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A classifier that goes by one word of the description; its module."""
    settings.TOOL_CLASSIFIER = classifier.NAME
    monkeypatch.setattr(classifier, "VERSION", "1")
    return classifier


@pytest.fixture
def unclassified(settings: Any) -> None:
    settings.TOOL_CLASSIFIER = ""

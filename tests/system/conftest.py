from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.forking import Workers, forked_workers


@pytest.fixture(scope="session")
def workers(django_db_setup: None) -> Iterator[Workers]:
    """Of this process's own database."""
    with forked_workers() as running:
        yield running

"""The hostile server of the world, and two tidy ones beside it."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from catalog.models import CatalogServer, CatalogTool
from tests.catalog.pages.conftest import TOOLS, make_server
from tests.world import make_catalog


@pytest.fixture
def hostile(acme, valkey) -> CatalogTool:
    """The tool with the hostile name, of the hostile server."""
    cache.clear()
    return make_catalog(acme)


@pytest.fixture
def tidy(hostile) -> CatalogServer:
    """`acme-storage`; `blue-pay` is there too."""
    make_server("blue-pay", "blue", TOOLS["blue-pay"])
    return make_server("acme-storage", "acme", TOOLS["acme-storage"])


@pytest.fixture
def known(alice) -> Client:
    """Somebody who is signed in, with cookies of all kinds."""
    client = Client()
    client.force_login(alice.user)
    client.cookies["csrf8000"] = "x" * 32
    client.cookies["theme"] = "dark"
    return client

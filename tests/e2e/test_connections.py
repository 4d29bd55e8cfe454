"""The web process gives its database connections back, request by request, and holds
more clients than a shell's limit of open files would let it."""

from __future__ import annotations

import http.client
import urllib.request
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.e2e.conftest import running_gateway

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(60),
    pytest.mark.xdist_group("e2e"),
]
REQUESTS, MOST_MORE = 40, 10
FILES, CLIENTS = 160, 200
# Few open files, as a shell or a service manager sets them, and a hard limit above.
FEW_FILES = ("sh", "-c", f'ulimit -S -n {FILES} && exec "$@"', "sh")


def connected() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def test_pages_leave_no_connections_behind(gateways: tuple[str, str]) -> None:
    before = connected()
    for _ in range(REQUESTS):
        urllib.request.urlopen(f"{gateways[0]}/tools/", timeout=30).close()
    assert connected() <= before + MOST_MORE


def test_clients_beyond_the_soft_limit_of_open_files_are_served(
    transactional_db: None,
) -> None:
    with running_gateway(*FEW_FILES) as base, ExitStack() as all_open:
        place = urlsplit(base).netloc
        for _ in range(CLIENTS):
            client = http.client.HTTPConnection(place, timeout=5)
            all_open.enter_context(closing(client))
            client.request("GET", "/mcp/health")
            assert client.getresponse().read() == b'{"status":"ready"}'

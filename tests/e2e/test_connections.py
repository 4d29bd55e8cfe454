"""The web process gives its database connections back, request by request."""

from __future__ import annotations

import urllib.request

import pytest
from django.db import connection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(60),
    pytest.mark.xdist_group("e2e"),
]
REQUESTS, MOST_MORE = 40, 10


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

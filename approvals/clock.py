"""The one clock by which approvals begin, end and are used: the database's.

Gateways and workers run on several machines; a call must not be usable on one of them
while it has expired on another.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment

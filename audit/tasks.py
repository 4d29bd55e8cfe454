"""What beat starts."""

from __future__ import annotations

from celery import shared_task
from django.db import connection, transaction

from audit import partitions


@shared_task(name="audit.keep_partitions")  # type: ignore[untyped-decorator]
def keep_partitions() -> None:
    """The records' months, this one and two ahead."""
    with transaction.atomic(), connection.cursor() as cursor:
        partitions.make(cursor, partitions.ahead(partitions.today()))

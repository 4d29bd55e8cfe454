"""The records' months."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.management import call_command
from django.db import connection

from audit import partitions
from audit.tasks import keep_partitions


def months() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'audit_record'::regclass"
        )
        return sorted(name for (name,) in cursor.fetchall())


def names(found: list[date]) -> list[str]:
    return [f"audit_record_y{month:%Ym%m}" for month in found]


@pytest.mark.django_db
def test_this_month_and_two_ahead_are_there_after_migrating() -> None:
    expected = names(partitions.ahead(partitions.today()))
    assert set(expected) <= set(months())


@pytest.mark.django_db
def test_the_task_keeps_two_months_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "today", lambda: date(2031, 11, 30))
    keep_partitions()
    keep_partitions()
    new = names([date(2031, 11, 1), date(2031, 12, 1), date(2032, 1, 1)])
    assert set(new) <= set(months())


@pytest.mark.django_db
def test_the_table_is_partitioned_with_its_indexes_on_every_month() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_partkeydef('audit_record'::regclass),"
            " (SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass)",
            [months()[0]],
        )
        assert cursor.fetchone() == ('RANGE ("time")', 4)


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", "audit", check=True, dry_run=True, verbosity=0)

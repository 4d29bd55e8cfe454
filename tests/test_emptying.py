"""A test that commits leaves nothing behind for the next."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import TransactionTestCase

from tests.emptying import empty
from tests.world import make_world


def filled() -> set[str]:
    """The tables that have rows."""
    names = connection.introspection.table_names()
    with connection.cursor() as cursor:
        found = set()
        for name in names:
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{name}")')
            if cursor.fetchone() == (True,):
                found.add(name)
    return found


@pytest.mark.django_db(transaction=True)
def test_only_what_migrations_made_stays(valkey):
    before = filled()
    make_world()
    assert {"policies_policyversion", "audit_record"} <= filled() - before
    empty(TransactionTestCase())
    made = {"django_migrations", "django_content_type", "auth_permission"}
    assert filled() == before == made

"""What the tests of a module begin with is made once, and given to each anew."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Generic, TypeVar

import pytest
from django.db import connection, transaction

Made = TypeVar("Made")


class Kept(Generic[Made]):
    """Rows in a transaction around those of the tests, which leave them as they were.

    A test that commits can do so in no other transaction: for it they are made anew,
    and for those that come after it.
    """

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._around = ExitStack()
        self._around.enter_context(_undone())
        self._made = pickle.dumps(make())
        # Each test would check them again.
        connection.check_constraints()
        self._lasts = True

    def get(self, test: pytest.Item) -> Made:
        """Objects of this test's own. Its fixture asks for `db` too."""
        mark = test.get_closest_marker("django_db")
        if mark is not None and mark.kwargs.get("transaction"):
            self.close()
        return pickle.loads(self._made) if self._lasts else self._make()

    def close(self) -> None:
        self._around.close()
        self._lasts = False


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def keeping(make: Callable[[], Made], blocker: Any) -> Iterator[Kept[Made]]:
    """For a fixture of a module that asks for `django_db_setup`."""
    with blocker.unblock():
        kept = Kept(make)
    yield kept
    with blocker.unblock():
        kept.close()

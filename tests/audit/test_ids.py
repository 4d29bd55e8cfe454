"""Call ids."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from audit.ids import first_id, time_of, uuid7


def test_an_id_is_a_uuid7_of_now() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    id = uuid7()
    assert (id.version, id.variant) == (7, uuid.RFC_4122)
    assert before <= time_of(id) <= datetime.now(UTC)


def test_ids_differ_and_sort_by_time() -> None:
    ids = [uuid7() for _ in range(10_000)]
    assert len(set(ids)) == 10_000
    # Ids of one quarter of a microsecond sort by chance.
    coarse = [id.int >> 64 for id in ids]
    assert coarse == sorted(coarse)


def test_the_first_id_of_a_time_is_below_all_of_it() -> None:
    id = uuid7()
    assert first_id(time_of(id)) < id
    assert time_of(first_id(time_of(id))) == time_of(id)

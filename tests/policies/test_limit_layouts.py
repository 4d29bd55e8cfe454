"""What is remembered of a call's counters never stands in for another call's."""

from __future__ import annotations

import struct
import uuid

from policies.decision import Ask, Judgement, Side, Use
from policies.limits import MOST_LAYOUTS, Owners, prepare

OWNERS = uuid.uuid4(), 3, uuid.uuid4(), uuid.uuid4()
GENERATION = bytes(16)


def use(**changes: object) -> Use:
    fields = {
        "rule": "/all_tools/limits/0",
        "counter": "calls",
        "window": 60,
        "scope": "grant",
        "max": 5_000_000,
        "amount": 1_000_000,
        "by": None,
        "over": "deny",
        "on_deny": None,
        "watched": False,
    }
    return Use(**(fields | changes))  # type: ignore[arg-type]


def given(owners, side, mode="reserve", watched=None):
    judgement = Judgement(side, watched or Side())
    prepared = prepare(owners, GENERATION, judgement, b"record", mode)
    return prepared.keys, prepared.argv[2], prepared.counters, prepared.amounts


VARIANTS = [
    (Side(uses=(use(),)), "reserve", None),
    (Side(uses=(use(),)), "peek", None),
    (Side(uses=(use(rule="/tools/x/limits/0"),)), "reserve", None),
    (Side(uses=(use(counter="others"),)), "reserve", None),
    (Side(uses=(use(window=3600),)), "reserve", None),
    (Side(uses=(use(scope="server"),)), "reserve", None),
    (Side(uses=(use(max=6_000_000),)), "reserve", None),
    (Side(uses=(use(amount=7),)), "reserve", None),
    (Side(uses=(use(by=b"a" * 16),)), "reserve", None),
    (Side(uses=(use(by=b"b" * 16),)), "reserve", None),
    (Side(uses=(use(over="require_approval"),)), "reserve", None),
    (Side(uses=(use(over="require_approval"),), opened=True), "reserve", None),
    (
        Side(
            uses=(use(over="require_approval"),),
            waived=frozenset({"/all_tools/limits/0"}),
        ),
        "reserve",
        None,
    ),
    (Side(uses=(use(), use(counter="others", amount=9))), "reserve", None),
    (Side(uses=(use(amount=9), use(counter="others"))), "reserve", None),
    (Side(uses=(use(), use(max=1, rule="/x"))), "reserve", None),
    (Side(), "reserve", Side(uses=(use(watched=True),))),
    (Side(), "reserve", Side(uses=(use(watched=True),), asks=(Ask("/x", None),))),
    (Side(uses=(use(),)), "reserve", Side(uses=(use(watched=True),))),
]


def test_remembered_is_as_anew():
    kept = Owners(*OWNERS)
    for _ in range(2):
        for side, mode, watched in VARIANTS:
            anew = given(Owners(*OWNERS), side, mode, watched)
            assert given(kept, side, mode, watched) == anew


def test_another_bound_is_another_layout(settings):
    given(Owners(*OWNERS), Side(uses=(use(),)))
    settings.RECORDS_BOUND = 12_345
    plan = given(Owners(*OWNERS), Side(uses=(use(),)))[1]
    assert struct.unpack_from("<Bd", plan)[1] == 12_345


def test_values_of_clients_do_not_pile_up():
    owners = Owners(*OWNERS)
    for number in range(3 * MOST_LAYOUTS):
        given(owners, Side(uses=(use(by=number.to_bytes(16, "big")),)))
        assert len(owners.layouts) <= MOST_LAYOUTS

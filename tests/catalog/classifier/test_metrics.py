"""Figures, against numbers worked out by hand."""

from __future__ import annotations

import pytest

from catalog.evaluation import metrics

# 40 Read: 36 right, 4 called Write. 30 Write: 24 right, 6 called Read.
# 10 Execute: 5 right, 5 called Write.
PAIRS = (
    [("Read", "Read")] * 36
    + [("Read", "Write")] * 4
    + [("Write", "Write")] * 24
    + [("Write", "Read")] * 6
    + [("Execute", "Execute")] * 5
    + [("Execute", "Write")] * 5
)
COUNTS = metrics.confusion(PAIRS)
ALL = ("Read", "Write", "Execute", "Destructive")


def test_counts():
    assert COUNTS[("Read", "Write")] == 4
    assert COUNTS[("Write", "Execute")] == 0


def test_precision_recall_and_f1():
    read = metrics.scores(COUNTS, "Read")
    assert (read.precision.hits, read.precision.of) == (36, 42)
    assert (read.recall.hits, read.recall.of) == (36, 40)
    assert read.recall.value == 0.9
    # 2 * 36 / (42 + 40)
    assert read.f1.value == pytest.approx(72 / 82)
    write = metrics.scores(COUNTS, "Write")
    # 24 / 33 and 24 / 30, so 48 / 63
    assert write.f1.value == pytest.approx(48 / 63)


def test_wilson():
    # 8 of 10: (0.8 + 0.19207) / 1.38415 -+ 1.96 * sqrt(0.016 + 0.0096) / 1.38415
    low, high = metrics.wilson(8, 10)
    assert low == pytest.approx(0.4902, abs=1e-4)
    assert high == pytest.approx(0.9433, abs=1e-4)
    assert metrics.wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert metrics.wilson(10, 10) == pytest.approx((0.7225, 1), abs=1e-4)


def test_ends_of_f1_follow_the_share_of_what_either_side_calls_so():
    read = metrics.scores(COUNTS, "Read")
    low, high = metrics.wilson(36, 46)
    assert read.f1.low == pytest.approx(2 * low / (1 + low))
    assert read.f1.high == pytest.approx(2 * high / (1 + high))


def test_nothing_to_count_is_no_figure():
    none = metrics.scores(COUNTS, "Destructive")
    assert none.recall.value is None
    assert none.precision.value is None
    assert none.f1.value is None


def test_classes_of_fewer_than_30_are_left_out_of_the_macro():
    assert metrics.scores(COUNTS, "Execute").few
    assert not metrics.scores(COUNTS, "Write").few
    assert metrics.macro(COUNTS, ALL) == pytest.approx((72 / 82 + 48 / 63) / 2)
    assert metrics.macro(metrics.confusion([]), ALL) is None


def test_read_or_not():
    # Write called Read: 6. Read called Write: 4. The other 70 agree on it.
    found = metrics.accuracy(COUNTS, metrics.both_read)
    assert (found.hits, found.of) == (70, 80)


def test_kappa():
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: 0.7 observed, 0.5 by chance.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert metrics.kappa(pairs) == pytest.approx(0.4)
    assert metrics.kappa([("a", "b"), ("b", "a")]) == pytest.approx(-1)
    assert metrics.kappa([("a", "a")] * 3) is None
    assert metrics.kappa([]) is None


def test_the_interval_of_the_macro_holds_it_and_stays_the_same():
    ends, middle = metrics.macro_interval(PAIRS, ALL), metrics.macro(COUNTS, ALL)
    assert ends and middle
    assert ends[0] < middle < ends[1]
    assert ends == metrics.macro_interval(PAIRS, ALL)
    assert metrics.macro_interval(PAIRS[:10], ALL) is None

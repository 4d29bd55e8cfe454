"""Which version of a server is the newer one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from catalog.registry.versions import follows, rank
from tests.cases import cases

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Version:
    version: str
    latest: bool | None = None
    published_at: datetime | None = NOON


# The order of semver.org, section 11, and what is beyond a word of a machine.
ASCENDING = [
    "0.0.4", "0.9.9", "1.0.0-0", "1.0.0-2", "1.0.0-10", "1.0.0-alpha",
    "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
    "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1-1", "1.9.0", "1.10.0",
    "2.0.0+build.7", "2025.6.18", "99999999999999999999.0.0",
]  # fmt: skip


@cases(("older", "newer"), list(pairwise(ASCENDING)))
def test_semantic_versions_have_an_order(older: str, newer: str) -> None:
    assert follows(Version(newer, latest=False), older, NOON)
    assert not follows(Version(older, latest=True), newer, NOON)


@cases(
    "text",
    [
        *("v1.0", "1.0", "2025.06.18", "2025-06-18", "1.0.0-", "1.0.0-01", "01.0.0"),
        *("1.0.0 ", "", "١.0.0", "1.0.0\n", "latest", "1.0.0+", "1.0.0-a..b"),
    ],
)
def test_no_semantic_versions(text: str) -> None:
    assert rank(text) is None


LATER = NOON + timedelta(days=1)


@cases(
    ("new", "old", "expected"),
    [
        # The registry's word, where one of the two is no semantic version
        (Version("2025-06-01", True), "2025-06-18", True),
        (Version("2025-07-01", False), "2025-06-18", False),
        (Version("build 7", True), "1.0.0", True),
        (Version("1.0.0", False), "build 7", False),
        # It says nothing
        (Version("1.0.0"), "build 7", True),
        (Version("build 7"), "1.0.0", False),
        (Version("build 8", None, LATER), "build 7", True),
        (Version("build 8", None, NOON), "build 7", False),
        (Version("build 8", None, None), "build 7", False),
        # Builds of one version have no order of their own
        (Version("1.0.0+2", True), "1.0.0+1", True),
        (Version("1.0.0+2", False), "1.0.0+1", False),
    ],
)
def test_without_an_order_the_registry_decides(
    new: Version, old: str, expected: bool
) -> None:
    assert follows(new, old, NOON) is expected

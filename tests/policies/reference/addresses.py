"""Random URIs and globs over them, mostly about one small tree of paths."""

from __future__ import annotations

from tests.policies.reference.dice import Dice

SCHEMES = ["file", "file", "FILE", "https", "Https", "ui"]
HOSTS = ["", "", "localhost", "LOCALHOST", "example.com", "EXAMPLE.com:443"]
HOSTS += ["u@Example.com", "[::1]", "ex%61mple.com", "%4Cocalhost"]
SEGMENTS = [
    "etc", "etc", "srv", "srv", "docs", "passwd", "..", "..", ".", "", "%65tc",
    "%2e%2E", "%252e%252e", "etc%2Fpasswd", "a%2F..%2Fsrv", "é", "%C3%A9", "My Docs",
    "My%20Docs", "100%25", "...", "..x", "a:b", "%25zz",
]  # fmt: skip
BAD = ["%", "%zz", "%2", "a\\b", "%5C", "%00", "\x7f", "%0a", "%FF", "%25FF", "\x85"]
WILD = ["*", "*", "e?c", "pass*", "?tc", "d*s", "\\*"]


def address(rng: Dice) -> str:
    segments = [rng.choice(SEGMENTS) for _ in range(rng.randint(1, 5))]
    if rng.random() < 0.08:
        segments.append(rng.choice(BAD))
    return assembled(rng, segments)


def address_glob(rng: Dice) -> str:
    segments = [rng.choice(SEGMENTS) for _ in range(rng.randint(0, 3))]
    segments.append(rng.choice([*SEGMENTS, *WILD, *WILD, *BAD[:3]]))
    rng.shuffle(segments)
    if rng.random() < 0.4:
        segments.append("*")
    return assembled(rng, segments)[:120].rstrip("\\")


def assembled(rng: Dice, segments: list[str]) -> str:
    scheme, path = rng.choice(SCHEMES), "/".join(segments)
    if scheme == "ui" and rng.random() < 0.5:
        return f"{scheme}:{path}"
    tail = rng.choice(["", "", "", "#x/../y"]) if rng.random() < 0.3 else ""
    return f"{scheme}://{rng.choice(HOSTS)}/{path}{tail}"

"""URIs as sent and normalized."""

from __future__ import annotations

import pytest

from policies.globs import parse_glob
from policies.uris import BadUri, UriTooLarge, parse_uri, uri_glob
from tests.cases import cases

NORMALIZED = [
    ("FILE:///Etc/x", "file://localhost/Etc/x"),
    ("file:/etc/x", "file://localhost/etc/x"),
    ("https://EXAMPLE.com:/a", "https://example.com/a"),
    ("https://u:P@Example.com:8080/a", "https://u:P@example.com:8080/a"),
    ("http://[::1]:80/x", "http://[::1]:80/x"),
    ("file:///%2565tc", "file://localhost/etc"),
    ("file:///%25%36%35", "file://localhost/e"),
    ("file:///100%25.txt", "file://localhost/100%.txt"),
    ("file:///a%2Fb", "file://localhost/a/b"),
    ("file:///a/%2e%2E/b", "file://localhost/b"),
    ("file:///a/..", "file://localhost/"),
    ("file:///a/.", "file://localhost/a/"),
    ("file:///../../a", "file://localhost/a"),
    ("urn:a/../b", "urn:/b"),
    ("file:///a b/ü", "file://localhost/a b/ü"),
    ("file:///a%20b/%C3%BC", "file://localhost/a b/ü"),
    ("x://h/a?q=%41#%42", "x://h/a?q=A#B"),
]


@cases(("sent", "normalized"), NORMALIZED)
def test_normalized(sent, normalized):
    assert parse_uri(sent).normalized == normalized


@cases(
    "sent",
    [
        "no-scheme", "", "/etc/passwd", "http://[::1", "http://a]b/", "http://h:8a/",
        "file:///a\\b", "file:///a%5Cb", "file:///a\x00", "file:///a%00", "file:///a\n",
        "file:///%zz", "file:///%4", "file:///%ff", "file:///%25ff", "1http://a",
        "file:///\ufdd0", "file:///%EF%B7%90", "file:///%C3%25BC",
    ],
)  # fmt: skip
def test_what_does_not_parse(sent):
    with pytest.raises(BadUri):
        parse_uri(sent)


@pytest.mark.parametrize(
    "sent", ["file:///" + "%25" * 100_000, "file:///%" + "25" * 100_000]
)
def test_decoding_is_bounded(sent):
    with pytest.raises((UriTooLarge, BadUri)):
        parse_uri(sent + "41")


@cases(
    ("glob", "sent", "either", "both"),
    [
        ("file:///etc/*", "file://localhost/etc/x", True, False),
        ("file://localhost/etc/*", "file:///etc/x", True, False),
        ("https://*.Example.com/*", "https://a.Example.com/x", True, True),
        ("https://*.Example.com/*", "https://a.example.com/x", True, False),
        ("file:///My%20Docs/?", "file:///My Docs/a", True, False),
        ("file:///My%20Docs/?", "file:///My%20Docs/a", True, True),
        ("file:///srv/a/../b", "file:///srv/b", True, False),
        ("*.md", "file:///srv/a.md", True, True),
        ("https://h/a\\?b=*", "https://h/a?b=1", True, True),
        ("%zz*", "file:///etc/x", False, False),
    ],
)
def test_globs_match_both_forms(glob, sent, either, both):
    compiled, uri = uri_glob(parse_glob(glob)), parse_uri(sent)
    assert compiled.either(uri) == either
    assert compiled.both(uri) == both

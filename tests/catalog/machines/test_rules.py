"""What holds for each address that machines read, through the whole middleware."""

from __future__ import annotations

import re

import httpx2 as httpx
import pytest
from django.test import Client

from catalog.public import CACHED
from tests.catalog.machines import places

pytestmark = pytest.mark.django_db


def test_the_same_for_everybody_and_kept_by_caches(tidy, known):
    for path in [*places.ALL, *places.TWINS]:
        holds(path, known)


def holds(path: str, known: Client) -> None:
    answer, theirs = Client().get(path), known.get(path)
    assert answer.status_code == 200, answer.content
    assert answer.content == theirs.content
    assert dict(answer.headers) == dict(theirs.headers)
    assert answer["Cache-Control"] == CACHED
    assert not answer.cookies and not theirs.cookies
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.get("Vary", "")
    assert answer["X-Content-Type-Options"] == "nosniff"
    again = Client().get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == answer["ETag"]
    assert Client().get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_it_is_only_read(tidy):
    for path in places.ALL:
        assert Client().post(path).status_code == 405, path
        head = Client().head(path)
        assert (head.status_code, head.content) == (200, b""), path


def test_hostile_names_are_inert_everywhere(hostile):
    paths = [*places.ALL, *places.TWINS, *places.hostile_tool(hostile)]
    for path in paths:
        page = Client().get(path).content.decode()
        shown = re.sub(r'(value|data-text)="[^"]*"', "", page)
        assert "<script>alert" not in page, path
        assert not re.search("[\u202e\u200f]", shown), path


def test_what_is_deleted_is_nowhere(hostile):
    server = hostile.server
    server.status = "deleted"
    server.save()
    gone = [path for path in [*places.ALL, *places.TWINS] if places.SERVER in path]
    assert len(gone) > 8
    for path in gone:
        assert Client().get(path).status_code in {404, 410}, path
    for path in ("/llms.txt", "/tools.md", "/tools/changes.atom", "/sitemap.xml"):
        assert places.SERVER not in Client().get(path).content.decode(), path
    for path in ("servers", "tools", "changes"):
        answer = Client().get(f"/api/catalog/v1/{path}").json()
        assert answer["items"] == [], path


def test_a_real_client_gets_what_the_tests_get(tidy, live_server):
    """Over a socket: no cookie is set, and none changes a byte."""
    with httpx.Client(base_url=live_server.url) as client:
        for path in ("/llms.txt", "/api/catalog/v1/tools", "/tools/changes.atom"):
            plain = client.get(path)
            cookied = client.get(path, headers={"Cookie": "session8000=x; theme=dark"})
            assert plain.status_code == cookied.status_code == 200
            assert plain.content == cookied.content
            assert "set-cookie" not in plain.headers | cookied.headers
            tag = {"If-None-Match": plain.headers["etag"]}
            assert client.get(path, headers=tag).status_code == 304
        assert not client.cookies

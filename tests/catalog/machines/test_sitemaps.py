"""Sitemaps: all that may be found and nothing else, in files of a bounded size."""

from __future__ import annotations

from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import sitemaps
from catalog.models import CatalogServer, CatalogTool
from catalog.tasks import renew_sitemap
from tests.catalog.machines import places

pytestmark = pytest.mark.django_db
S = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
HOST = "http://127.0.0.1:8000"


def read(path: str, root: str) -> dict[str, str | None]:
    """Addresses with their lastmod."""
    answer = Client().get(path)
    assert answer.status_code == 200, path
    assert answer["Content-Type"] == "application/xml"
    tree = ElementTree.fromstring(answer.content)  # noqa: S314 - of our own
    assert tree.tag == S + root
    found = {e.findtext(f"{S}loc") or "": e.findtext(f"{S}lastmod") for e in tree}
    assert len(found) == len(tree) and len(tree) > 0
    return {place.removeprefix(HOST): at for place, at in found.items()}


def whole() -> dict[str, str | None]:
    """Every address that the index leads to."""
    found: dict[str, str | None] = {}
    for path, changed in read("/sitemap.xml", "sitemapindex").items():
        part = read(path, "urlset")
        assert not found.keys() & part.keys()
        moments = [datetime.fromisoformat(at) for at in part.values() if at]
        if changed:
            assert datetime.fromisoformat(changed) == max(moments)
        found |= part
    return found


def test_every_page_is_there_once_and_can_be_opened(tidy):
    found = whole()
    assert len(found) == 5 + 30 + 3 + CatalogTool.objects.count()
    assert "/tools/acme-storage/delete-bucket/" in found
    for path in found:
        page = Client().get(path)
        assert page.status_code == 200, path
        canonical = f'<link rel="canonical" href="{HOST}{path}">'
        assert canonical in page.content.decode(), path
        assert 'name="robots"' not in page.content.decode(), path


def test_lastmod_is_the_last_change(tidy):
    at = timezone.now() - timedelta(days=9)
    CatalogTool.objects.filter(server=tidy).update(first_seen=at, changed_at=None)
    CatalogTool.objects.filter(name="put_object").update(changed_at=at + timedelta(1))
    found = whole()
    for name, expected in (("put-object", at + timedelta(1)), ("delete-bucket", at)):
        told = found[f"/tools/acme-storage/{name}/"]
        assert told and datetime.fromisoformat(told) == expected


def test_what_is_gone_is_not_there(tidy):
    CatalogServer.objects.filter(slug="blue-pay").update(status="deleted")
    CatalogTool.objects.filter(name="put_object").update(listed=False)
    CatalogServer.objects.filter(slug="hostile-mcp-server").update(tools_listed=0)
    found = whole()
    assert "/tools/acme-storage/" in found
    assert not [path for path in found if "blue-pay" in path or "put-object" in path]
    assert "/tools/hostile-mcp-server/" not in found


def test_files_are_bounded_and_complete(tidy, monkeypatch):
    monkeypatch.setattr(sitemaps, "SIZE", 3)
    found = whole()
    parts = read("/sitemap.xml", "sitemapindex")
    assert len(parts) > 5
    for path in parts:
        if "pages" not in path:
            assert len(read(path, "urlset")) <= 3
    monkeypatch.undo()
    cache.clear()
    assert whole() == found


def test_a_part_that_is_none(tidy):
    for part in (0, 10**6, 2**70):
        assert Client().get(f"/sitemaps/tools-{part}.xml").status_code == 404


def test_the_limits_of_the_protocol():
    """At most 50,000 addresses and 50 MB, with the longest that there can be."""
    longest = sitemaps.Entry("/" + "x" * 2_000, timezone.now())
    file = sitemaps.document("urlset", "url", [longest] * sitemaps.SIZE)
    assert sitemaps.SIZE <= 50_000
    assert len(file.content) < 50_000_000


def test_a_file_is_one_query(tidy):
    """A range of keys, whatever stands before it."""
    files = [path for path in read("/sitemap.xml", "sitemapindex") if "/tools-" in path]
    for path in files:
        with CaptureQueriesContext(connection) as queries:
            read(path, "urlset")
        assert len(queries) == 1
        sql = queries[0]["sql"]
        assert '"id" >=' in sql and '"id" <' in sql and "OFFSET" not in sql


def test_the_job_keeps_the_index(tidy):
    renew_sitemap()
    with CaptureQueriesContext(connection) as queries:
        read("/sitemap.xml", "sitemapindex")
    assert len(queries) == 0
    parts = read("/sitemap.xml", "sitemapindex")
    CatalogTool.objects.all().delete()
    renew_sitemap()
    assert len(read("/sitemap.xml", "sitemapindex")) < len(parts)


def test_the_job_is_scheduled():
    from config.celery import app

    beat = app.conf.beat_schedule["catalog.renew_sitemap"]
    assert beat["task"] == renew_sitemap.name
    assert beat["schedule"] < sitemaps.KEPT_SECONDS


def test_nothing_of_it_is_hidden_from_crawlers(hostile):
    assert places.SERVER in "".join(whole())

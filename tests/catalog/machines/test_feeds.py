"""Atom: what RFC 4287 demands, and that names of strangers stay text."""

from __future__ import annotations

from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone

from catalog import feeds
from catalog.models import Change
from tests.catalog.machines import places

pytestmark = pytest.mark.django_db
A = "{http://www.w3.org/2005/Atom}"
PATHS = ("/tools/changes.atom", f"/tools/{places.SERVER}/changes.atom")


def parsed(path: str) -> ElementTree.Element:
    answer = Client().get(path)
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(answer.content)  # noqa: S314 - of our own


def must_haves(element: ElementTree.Element) -> None:
    """4.1.1 and 4.1.2: exactly one of each, and a moment of RFC 3339."""
    for name in ("id", "title", "updated"):
        assert len(element.findall(A + name)) == 1, name
        assert element.findtext(A + name)
    moment = datetime.fromisoformat(element.findtext(A + "updated") or "")
    assert moment.tzinfo is not None
    assert (element.findtext(A + "id") or "").startswith("tag:127.0.0.1,2026-01-01:")


@pytest.mark.parametrize("path", PATHS)
def test_it_is_atom(path, tidy):
    feed = parsed(path)
    assert feed.tag == A + "feed"
    must_haves(feed)
    assert feed.findtext(f"{A}author/{A}name") == "PolicyLayer"
    links = {link.get("rel"): link.get("href") for link in feed.findall(A + "link")}
    assert links["self"] == f"http://127.0.0.1:8000{path}"
    page = (links["alternate"] or "").removeprefix("http://127.0.0.1:8000")
    assert Client().get(page).status_code == 200
    entries = feed.findall(A + "entry")
    assert entries
    for entry in entries:
        must_haves(entry)
        assert len(entry.findall(f"{A}link[@rel='alternate']")) == 1
        assert entry.findtext(A + "summary")
    ids = [entry.findtext(A + "id") for entry in entries]
    assert len(set(ids)) == len(ids)
    updated = [entry.findtext(A + "updated") or "" for entry in entries]
    assert updated == sorted(updated, reverse=True)
    assert feed.findtext(A + "updated") == updated[0]


def test_ids_stay_while_others_come(tidy):
    def ids() -> list[str | None]:
        return [e.findtext(A + "id") for e in parsed(PATHS[0]).findall(A + "entry")]

    before = ids()
    Change.objects.create(server=tidy, tool="new", kind="added")
    assert ids()[1:] == before


def test_it_is_bounded(tidy):
    at = timezone.now()
    Change.objects.bulk_create(
        Change(server=tidy, tool="t", kind="added", at=at + timedelta(seconds=n))
        for n in range(feeds.MOST + 5)
    )
    assert len(parsed(PATHS[0]).findall(A + "entry")) == feeds.MOST


def test_an_empty_one_is_one(tidy):
    feed = parsed("/tools/blue-pay/changes.atom")
    must_haves(feed)
    assert feed.findall(A + "entry") == []


def test_characters_that_xml_has_not(tidy):
    Change.objects.create(
        server=tidy, tool="a\ufffe\uffff\x1b]]><b>&amp;", kind="added"
    )
    entry = parsed("/tools/acme-storage/changes.atom").find(A + "entry")
    assert entry is not None
    assert "a��‹U+001B›]]><b>&amp; was added" in (entry.findtext(A + "title") or "")


def test_an_entry_leads_to_a_page_that_is_there(tidy):
    for name, path in (
        ("list_buckets", "/tools/acme-storage/list-buckets/"),
        ("gone", "/tools/acme-storage/"),
    ):
        Change.objects.create(server=tidy, tool=name, kind="changed")
        entry = parsed("/tools/acme-storage/changes.atom").find(A + "entry")
        assert entry is not None
        link = entry.find(f"{A}link[@rel='alternate']")
        assert link is not None
        assert link.get("href") == f"http://127.0.0.1:8000{path}"
        assert Client().get(path).status_code == 200

"""Scan your config through its pages: what is graded, what is kept, what never is."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.core import serializers
from django.test import Client
from django.utils import timezone

from catalog import rates
from catalog.config_scan import grading, keeping, pages, stripping
from catalog.config_scan.stripping import Stripped
from catalog.models import KeptReport
from catalog.tasks import forget_reports
from tests.catalog.config_scan.lines import GITHUB, LINES, SECRETS
from tests.world import make_catalog

pytestmark = pytest.mark.django_db
KNOWN = {"command": "uvx", "args": ["hostile-mcp-server@1.0.0"]}
ALL = {"mcpServers": {f"s{n}": entry for n, (entry, _) in enumerate(LINES)}}
KEPT = re.compile(r"^/scan/[A-Za-z0-9_-]{32}/$")


def post(config, client=None, **more):
    text = config if isinstance(config, str) else json.dumps(config)
    return (client or Client()).post("/scan/", {"config": text} | more)


def config(**servers) -> dict[str, object]:
    return {"mcpServers": servers}


@pytest.fixture
def catalogue(acme):
    server = make_catalog(acme).server
    KeptReport.objects.all().delete()
    return server


def everything_stored() -> str:
    models = [model for model in apps.get_models() if model._meta.managed]
    return "".join(
        serializers.serialize("json", model._base_manager.order_by("pk"))
        for model in models
    )


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def test_secrets_reach_neither_answer_nor_database_nor_log(valkey, caplog):
    """Sent as they are, as a browser without scripts does; and kept on top of it."""
    caplog.set_level(logging.DEBUG)
    client = Client()
    answer = post(ALL, client)
    kept = post(ALL, client, keep="1")
    report = client.get(kept["Location"])
    assert (answer.status_code, kept.status_code, report.status_code) == (200, 302, 200)
    assert leaks(answer.content.decode()) == []
    assert leaks(report.content.decode()) == []
    assert leaks(everything_stored()) == []
    assert leaks(caplog.text) == []
    assert KeptReport.objects.count() == 1


def test_the_server_strips_by_itself(monkeypatch, valkey):
    """Unplugged, the secrets of the same post are all over the place."""

    def as_it_is(name, entry):
        args = tuple(str(arg) for arg in entry.get("args", ()))
        return Stripped(name, str(entry.get("command", "")), args)

    monkeypatch.setattr("catalog.config_scan.reading.strip", as_it_is)
    assert leaks(post(ALL).content.decode())


def test_what_is_kept_is_stripped_once_more(monkeypatch, valkey):
    """Unplugged in the reading alone, nothing gets into the database even so."""
    monkeypatch.setattr(
        "catalog.config_scan.reading.strip",
        lambda name, entry: Stripped(name, "npx", ("-y", "pkg", "hunter2")),
    )
    post(config(a=KNOWN), keep="1")
    assert KeptReport.objects.count() == 1
    assert leaks(everything_stored()) == []


def test_an_unreadable_text_is_not_echoed(caplog):
    answer = post('{"mcpServers": {"a": ' + GITHUB)
    assert answer.status_code == 422
    assert "Line 1, column 22" in answer.content.decode()
    assert leaks(answer.content.decode()) == [] and leaks(caplog.text) == []


def test_nothing_is_stored_by_a_scan(catalogue):
    before = everything_stored()
    assert post(config(a=KNOWN)).status_code == 200
    assert everything_stored() == before


def test_known_servers_are_graded_tool_by_tool(catalogue, django_assert_num_queries):
    with django_assert_num_queries(2):
        answer = post(config(a=KNOWN, b={"command": "npx", "args": ["other"]}))
    report = answer.context["report"]
    known, unknown = report.entries
    assert (known.known, unknown.known) == (catalogue, None)
    listed = catalogue.listing.filter(listed=True)
    assert {line.name for line in known.lines} == {tool.name for tool in listed}
    points = sum(grading.POINTS[tool.severity] for tool in listed)
    assert report.graded.points == known.graded.points == points
    assert report.graded.grade == grading.letter(points)
    assert report.unknown == 1
    page = answer.content.decode()
    assert "does not know this server" in page and "At best" in page
    assert f"/tools/{catalogue.slug}/" in page


def test_what_is_switched_off_counts_nowhere(catalogue):
    report = post(config(a=KNOWN | {"disabled": True})).context["report"]
    assert report.graded is None
    assert report.entries[0].graded.tools


def test_kind_tells_packages_of_one_name_apart(catalogue):
    npm = {"command": "npx", "args": ["hostile-mcp-server"]}
    assert post(config(a=npm)).context["report"].unknown == 1


def test_grades_follow_the_published_table():
    published = {band["letter"]: band["range"] for band in pages.formula()["bands"]}
    assert published == {
        "A": "0",
        "B": "1 to 9",
        "C": "10 to 29",
        "D": "30 to 99",
        "E": "100 to 299",
        "F": "300 or more",
    }
    sums = {0: "A", 1: "B", 9: "B", 10: "C", 29: "C", 30: "D", 99: "D", 100: "E"}
    sums |= {299: "E", 300: "F", 10_000: "F"}
    assert {total: grading.letter(total) for total in sums} == sums


def test_a_further_tool_never_makes_it_better():
    assert min(grading.POINTS.values()) == 0
    letters = [grading.letter(n) for n in range(400)]
    assert letters == sorted(letters)
    assert grading.letter(grading.POINTS["high"]) == "C"
    assert grading.letter(grading.POINTS["critical"]) == "D"


def test_the_form_is_public_and_the_same_for_everybody(alice):
    client = Client()
    client.force_login(alice.user)
    one, other = Client().get("/scan/"), client.get("/scan/")
    assert one.content == other.content
    assert one["Cache-Control"].startswith("public")
    assert not one.cookies and "Cookie" not in one.get("Vary", "")


@pytest.mark.parametrize("data", [config(a=KNOWN), "{"])
def test_an_answer_belongs_to_nobody_and_is_not_kept_by_caches(data):
    answer = post(data, Client(enforce_csrf_checks=True))
    assert answer.status_code in {200, 422}
    assert not answer.cookies and "Cookie" not in answer.get("Vary", "")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("origin", ["https://other.example", "null"])
def test_posts_from_other_sites_are_refused(origin):
    headers = {"Origin": origin}
    sent = {"config": json.dumps(config(a=KNOWN)), "keep": "1"}
    answer = Client().post("/scan/", sent, headers=headers)
    assert answer.status_code == 403 and not KeptReport.objects.exists()


def test_posts_from_our_own_pages_are_taken(settings):
    for origin in (settings.BASE_URL, "http://testserver"):
        headers = {"Origin": origin}
        sent = {"config": json.dumps(config(a=KNOWN))}
        assert Client().post("/scan/", sent, headers=headers).status_code == 200


def test_too_large_is_refused_before_it_is_read():
    answer = Client().post("/scan/", {"config": "x" * (pages.MOST_POSTED + 1)})
    assert answer.status_code == 413


def test_a_kept_report_can_be_opened_and_deleted_by_its_key_alone(catalogue, valkey):
    address = post(config(a=KNOWN), keep="1")["Location"]
    assert KEPT.match(address)
    key = address.split("/")[2]
    [row] = KeptReport.objects.all()
    assert row.key_hash == keeping.hashed(key) and key not in everything_stored()
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    client = Client()
    opened = client.get(address)
    assert opened.status_code == 200 and "no-store" in opened["Cache-Control"]
    assert opened["Referrer-Policy"] == "strict-origin" and not opened.cookies
    assert "noindex" in opened.content.decode()
    foreign = client.post(address, headers={"Origin": "https://other.example"})
    assert foreign.status_code == 403 and KeptReport.objects.exists()
    assert client.post(address).status_code == 302
    assert client.get(address).status_code == 404
    assert not KeptReport.objects.exists()


def test_what_has_expired_is_gone_and_then_deleted(catalogue, valkey):
    address = post(config(a=KNOWN), keep="1")["Location"]
    fresh = post(config(a=KNOWN), keep="1")["Location"]
    old = KeptReport.objects.earliest("pk")
    old.expires_at = timezone.now() - timedelta(seconds=1)
    old.save(update_fields=["expires_at"])
    assert Client().get(address).status_code == 404
    assert Client().post(address).status_code == 404
    forget_reports()
    assert not KeptReport.objects.filter(pk=old.pk).exists()
    assert Client().get(fresh).status_code == 200


def test_keeping_is_limited_scanning_is_not(valkey, monkeypatch):
    monkeypatch.setattr(pages, "KEEPING", rates.Rate("keep", 3600, 2, 100))
    answers = [post(config(a=KNOWN), keep="1").status_code for _ in range(3)]
    assert answers == [302, 302, 429] and KeptReport.objects.count() == 2
    assert post(config(a=KNOWN)).status_code == 200


def test_the_look_of_a_key_is_part_of_both_layers(monkeypatch, valkey):
    entry = {"command": "npx", "args": ["-y", GITHUB]}
    assert GITHUB not in post(config(a=entry)).content.decode()
    monkeypatch.setattr(stripping, "looks_key", lambda text: False)
    assert GITHUB in post(config(a=entry)).content.decode()


def test_hostile_names_are_inert(catalogue):
    name = "<script>alert(1)</script>\u202e"
    page = post({"mcpServers": {name: KNOWN}}).content.decode()
    assert "<script>alert" not in page
    assert "\u202e" not in re.sub(r'value="[^"]*"', "", page)

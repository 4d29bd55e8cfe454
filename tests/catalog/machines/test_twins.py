"""Twins in Markdown: where they are, who gets them, and that they say the same."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from tests.catalog.machines import places

pytestmark = pytest.mark.django_db
HOST = "http://127.0.0.1:8000"
PATHS = [*places.TWINS, "/tools/acme-storage/delete-bucket/"]


def twin(path: str) -> str:
    return f"{path.rstrip('/')}.md"


@pytest.mark.parametrize("path", PATHS)
def test_one_address_has_two_forms(path, tidy):
    page = Client().get(path)
    assert page["Content-Type"] == "text/html; charset=utf-8"
    asked = Client().get(path, headers={"Accept": "text/markdown, text/html;q=0.5"})
    own = Client().get(twin(path))
    assert (
        asked["Content-Type"] == own["Content-Type"] == "text/markdown; charset=utf-8"
    )
    assert asked.content == own.content
    for form in (page, asked):
        assert form["Vary"] == "Accept"
        assert (
            f'<{HOST}{twin(path)}>; rel="alternate"; type="text/markdown"'
            in (form["Link"])
        )
        assert f'<{HOST}{path}>; rel="canonical"' in form["Link"]
    assert own["Link"] == f'<{HOST}{path}>; rel="canonical"'
    assert page["ETag"] != asked["ETag"]
    again = Client().get(path, headers={"If-None-Match": page["ETag"]})
    assert again.status_code == 304 and again["Vary"] == "Accept"


@pytest.mark.parametrize(
    "accept",
    [
        *("*/*", "text/html", "text/*", "application/json", "", "text/markdown;q=0"),
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "text/html, text/markdown;q=0.9",
    ],
)
def test_browsers_get_the_page(accept, tidy):
    answer = Client().get("/tools/acme-storage/", headers={"Accept": accept})
    assert answer["Content-Type"].startswith("text/html")


def test_each_link_of_a_twin_leads_somewhere(tidy):
    seen: set[str] = set()
    for path in ["/llms.txt", *map(twin, PATHS)]:
        text = Client().get(path).content.decode()
        found = set(re.findall(rf"<{HOST}(/[^>]*)>", text)) - seen
        for place in found:
            assert Client().get(place).status_code == 200, (path, place)
        seen |= found
    assert len(seen) > 50


def test_a_tool_s_twin_has_what_its_page_has(tidy):
    text = Client().get("/tools/acme-storage/delete-bucket.md").content.decode()
    assert text.startswith("# delete_bucket\n")
    for words in ("Category: Destructive", "Severity: critical", "Confidence: "):
        assert words in text
    policy = json.loads(text.partition("```json\n")[2].partition("\n```")[0])
    assert policy["hide"] == ["delete_bucket"]


def test_a_server_s_twin_has_all_tools_and_the_policy(tidy):
    text = Client().get("/tools/acme-storage.md").content.decode()
    assert text.index("## Tools: critical") < text.index("## Tools: low")
    for slug in ("list-buckets", "delete-bucket", "put-object"):
        assert f"<{HOST}/tools/acme-storage/{slug}.md>" in text
    policy = json.loads(text.partition("```json\n")[2].partition("\n```")[0])
    assert policy == Client().get("/tools/acme-storage/policy.json").json()


def test_the_index_is_asked_like_the_page(tidy):
    assert "/tools/blue-pay.md" in Client().get("/tools.md").content.decode()
    text = Client().get("/tools.md?q=bucket&category=Destructive").content.decode()
    assert "/tools/acme-storage/delete-bucket.md" in text
    assert "list-buckets" not in text
    page = Client().get("/tools/?q=a&category=Read")
    assert f'<{HOST}/tools.md?q=a&category=Read>; rel="alternate"' in page["Link"]
    assert f'<{HOST}/tools/>; rel="canonical"' in page["Link"]
    broken = Client().get("/tools/", {"q": '>; rel="x"\r\nSet-Cookie: a=b'})
    assert "Set-Cookie" not in broken.headers and broken["Link"].count(">;") == 2
    assert "Nothing was found." in Client().get("/tools.md?q=zzz").content.decode()


def test_the_attack_s_policy_is_whole(tidy):
    text = Client().get("/attacks/tool-poisoning.md").content.decode()
    policy = json.loads(text.partition("```json\n")[2].partition("\n```")[0])
    assert policy["version"] == "1" and policy["tests"]
    assert Client().get("/attacks/none.md").status_code == 404


def test_hostile_names_begin_nothing(hostile):
    text = Client().get(f"/tools/{places.SERVER}/{hostile.slug}.md").content.decode()
    outside = re.sub(r"```json\n.*?\n```\n", "", text, flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", outside, re.MULTILINE)
    assert headings[1:] == [
        *("What it does", "Why", "Parameters", "The policy for this tool alone"),
    ]
    assert not re.search(r"(?<!\\)<(?!http://127\.0\.0\.1:8000/)", outside)


def test_what_is_gone_the_page_says(hostile):
    server = hostile.server
    server.status = "deleted"
    server.save()
    path = f"/tools/{places.SERVER}/"
    asked = Client().get(path, headers={"Accept": "text/markdown"})
    assert asked.status_code == Client().get(path).status_code == 410
    assert Client().get(twin(path)).status_code == 404


def test_llms_txt_has_the_shape_of_its_kind(tidy):
    answer = Client().get("/llms.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.content.decode().splitlines()
    assert lines[0] == "# PolicyLayer" and lines[2].startswith("> ")
    assert [each for each in lines if each.startswith("## ")] == [
        *("## Pages", "## Data", "## Servers"),
    ]
    for each in lines[lines.index("## Pages") :]:
        assert not each or re.match(r"## \w+$|- \[.+\]\(<http.+>\): .+$", each), each

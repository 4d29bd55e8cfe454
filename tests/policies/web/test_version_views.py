from __future__ import annotations

import pytest
import redis

from accounts import generation
from policies import publishing
from policies.publishing import versions

ALLOW = '{"version": "1", "default": "allow"}'
HIDE_ONLY = '{"version": "1", "default": "deny", "hide": ["create_refund"]}'


@pytest.fixture
def client(sign_in, bob):
    return sign_in(bob)


@pytest.fixture
def place(support):
    return f"/policies/{support.pk}/"


def published(client, place, revision="0", **more):
    return client.post(f"{place}publish/", {"revision": revision} | more)


def test_publishing_from_the_review(
    client, place, support, django_capture_on_commit_callbacks
):
    page = client.get(f"{place}publish/").content.decode()
    assert "What this version does" in page
    assert versions(support).count() == 0
    with django_capture_on_commit_callbacks(execute=True):
        answer = published(client, place, comment="First")
    assert answer["Location"] == f"{place}versions/1/"
    page = client.get(answer["Location"]).content.decode()
    assert "in force" in page
    assert "being put in force" not in page
    assert "First" in page


def test_in_force_is_said_only_when_it_is(client, place, support, monkeypatch):
    """The outbox still waits: Valkey has not taken the change."""

    def down(organization):
        raise redis.ConnectionError

    monkeypatch.setattr(generation, "_set_anew", down)
    published(client, place)
    for address in (place, f"{place}versions/1/"):
        page = client.get(address).content.decode()
        assert "being put in force" in page
    monkeypatch.undo()
    assert generation.apply(support.organization)
    for address in (place, f"{place}versions/1/"):
        assert "being put in force" not in client.get(address).content.decode()


def test_what_changed_after_the_review_is_not_published(client, place, support):
    client.get(f"{place}publish/")
    publishing.save_draft(support, HIDE_ONLY, None, 0)
    answer = published(client, place)
    assert answer.status_code == 422
    assert "changed meanwhile" in answer.content.decode()
    assert versions(support).count() == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "1 error"),
        (
            '{"version": "1", "default": "deny", "tests": [{"name": "it reads",'
            ' "tool": "list_charges", "expect": "allow"}]}',
            "it reads",
        ),
    ],
)
def test_what_cannot_be_published_has_no_button(client, place, support, text, said):
    publishing.save_draft(support, text, None, 0)
    page = client.get(f"{place}publish/").content.decode()
    assert said in page
    assert "cannot be published" in page
    assert 'name="comment"' not in page
    assert published(client, place, "1").status_code == 422
    assert versions(support).count() == 0


def test_a_document_that_lets_nothing_through_says_so_first(client, place, support):
    publishing.save_draft(support, HIDE_ONLY, None, 0)
    page = client.get(f"{place}publish/").content.decode()
    assert page.index("lets no tool through") < page.index("What this version does")
    answer = client.post(f"{place}draft/allow/", {"revision": "1"})
    assert answer["Location"] == f"{place}publish/"
    support.refresh_from_db()
    assert support.draft == HIDE_ONLY.replace('"deny"', '"allow"')
    page = client.get(f"{place}publish/").content.decode()
    assert "lets no tool through" not in page


def test_that_offer_does_not_overwrite_a_newer_draft(client, place, support):
    publishing.save_draft(support, HIDE_ONLY, None, 0)
    client.post(f"{place}draft/allow/", {"revision": "0"})
    support.refresh_from_db()
    assert support.draft == HIDE_ONLY


def test_as_written_it_may_be_published_all_the_same(client, place, support):
    publishing.save_draft(support, HIDE_ONLY, None, 0)
    assert published(client, place, "1").status_code == 302


def test_the_review_tells_tool_by_tool(client, place, support):
    published(client, place)
    publishing.save_draft(
        support,
        '{"version": "1", "default": "allow",'
        ' "tools": {"create_refund": {"action": "deny"}}}',
        None,
        0,
    )
    page = client.get(f"{place}publish/").content.decode()
    assert "create_refund" in page
    assert "tightens" in page
    assert "list_charges" not in page


def test_versions_and_the_way_back(client, place, support):
    published(client, place)
    publishing.publish_text(support, HIDE_ONLY, None)
    page = client.get(f"{place}versions/").content.decode()
    assert page.index("Version 2") < page.index("Version 1<")
    page = client.get(f"{place}versions/2/").content.decode()
    assert "--- version 1" in page
    answer = client.post(f"{place}versions/1/restore/")
    assert answer["Location"] == f"{place}versions/3/"
    page = client.get(answer["Location"]).content.decode()
    assert f'<a href="{place}versions/1/">version 1</a>' in page
    support.refresh_from_db()
    assert support.current.text == ALLOW


@pytest.mark.parametrize("number", ["9", "0", "9" * 30])
def test_a_version_that_is_not_there(client, place, support, number):
    assert client.get(f"{place}versions/{number}/").status_code == 404
    assert client.post(f"{place}versions/{number}/restore/").status_code == 404


def test_the_rule_of_a_record_is_marked_in_the_text(client, place, support):
    text = '{\n  "version": "1",\n  "default": "deny",\n  "hide": [\n    "a"\n  ]\n}'
    publishing.publish_text(support, text, None)
    page = client.get(f"{place}versions/1/?pointer=/hide").content.decode()
    marked = [n for n in range(1, 8) if f'<tr id="L{n}" class="marked">' in page]
    assert marked == [4, 5, 6]


def test_many_versions_are_paged(client, place, support):
    from policies import version_views

    for _ in range(3):
        publishing.publish_text(support, ALLOW, None)
    before, version_views.MOST_LISTED = version_views.MOST_LISTED, 2
    try:
        page = client.get(f"{place}versions/").content.decode()
        assert "?before=2" in page
        page = client.get(f"{place}versions/?before=2").content.decode()
    finally:
        version_views.MOST_LISTED = before
    assert "Version 1<" in page
    assert "Version 3" not in page
